"""Statements as an attacker would sign them: with any key of the keyring, any number, and for any log."""

from scalegate.adapters.signers.secret import Secrets
from scalegate.app.keyring import Keyring
from scalegate.ledger import LocalStore
from scalegate.ledger.leaf import sign_leaf, write_statement
from tests.cli.speakers import ORIGIN


def keyring(lab):
    """The keys of a lab, a copy of those that all tests share."""
    return Keyring(lab.keys, Secrets({}))


def key_in_force(lab, name):
    with LocalStore(lab.store) as store:
        return store.standing().key_of(name)


def forge(lab, path, event, keys, *, number=None, log=ORIGIN, at=None):
    """Write a leaf that some keys signed, and return its path."""
    with LocalStore(lab.store) as store:
        standing = store.standing()
    number = standing.number_of(event.by) if number is None else number
    statement = write_statement(event, log, number, lab.now if at is None else at, standing.subjects_of(event))
    _, data = sign_leaf(statement, [keyring(lab).signer(key) for key in keys])
    place = lab.folder / path
    place.write_bytes(data)
    return place
