"""Files that somebody else could have changed: passphrases, and libraries of tokens."""

import os

import pytest

from scalegate.adapters.signers import SignerError
from scalegate.adapters.signers.pkcs11 import _require_own, token_key
from scalegate.adapters.signers.secret import Secrets

NOBODY = 65_534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


def refusal(call, *arguments):
    """What a call refuses with."""
    with pytest.raises(SignerError) as caught:
        call(*arguments)
    return caught.value


@pytest.fixture
def library(tmp_path):
    """A library in a folder that nobody else may write."""
    folder = tmp_path / "lib"
    folder.mkdir(mode=0o755)
    path = folder / "libtoken.so"
    path.write_bytes(b"")
    path.chmod(0o644)
    _require_own(path)
    return path


@as_root
def test_a_passphrase_in_a_file_of_somebody_else_is_not_taken(tmp_path):
    path = tmp_path / "passphrase"
    path.write_text("four words of hers")
    path.chmod(0o600)
    secrets = Secrets({"SCALEGATE_PASSPHRASE_FILE": str(path)})
    assert secrets.passphrase("ada") == b"four words of hers"
    os.chown(path, NOBODY, NOBODY)
    found = refusal(secrets.passphrase, "ada")
    assert (found.kind, found.code) == ("untrusted", "secret-foreign")
    assert "four words" not in str(found)


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o777])
def test_a_library_that_others_may_write_is_not_loaded(library, mode):
    library.chmod(mode)
    found = refusal(_require_own, library)
    assert (found.kind, found.code) == ("untrusted", "module-exposed")


def test_a_library_in_a_folder_that_others_may_write_is_not_loaded(library):
    library.parent.chmod(0o777)
    assert refusal(_require_own, library).code == "module-exposed"
    # In one like /tmp, others exchange no file of ours.
    library.parent.chmod(0o1777)
    _require_own(library)


def test_a_link_is_as_good_as_the_library_that_it_leads_to(library, tmp_path):
    link = tmp_path / "link.so"
    link.symlink_to(library)
    _require_own(link)
    library.chmod(0o666)
    assert refusal(_require_own, link).code == "module-exposed"


@as_root
def test_a_library_of_somebody_else_is_not_loaded(library):
    os.chown(library, NOBODY, NOBODY)
    assert refusal(_require_own, library).code == "module-exposed"


@pytest.mark.extra
def test_nobody_is_asked_for_a_pin_for_a_library_that_others_may_write(library):
    pytest.importorskip("pkcs11", reason="the extra `pkcs11` is not installed")
    library.chmod(0o666)
    asked = []
    found = refusal(token_key, "pkcs11:token=lab;object=ada", str(library), lambda: asked.append(1) or "1234")
    assert (found.code, asked) == ("module-exposed", [])
