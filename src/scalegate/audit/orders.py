"""The items that runs registered, and the orders that seeds drew: nobody chose them by what came out."""

from __future__ import annotations

import json
from collections.abc import Sequence

from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.entries import Audited
from scalegate.audit.report import Report
from scalegate.core.events import Entry, RunRegistered, Sampling
from scalegate.core.log_events import OrderDrawn
from scalegate.core.order import seed_of, shuffled
from scalegate.gate.sight import Sight


def audit_orders(bundle: Bundle, audited: Audited, report: Report) -> None:
    """Look at the list of items behind every registration, and at the seed of every order."""
    runs: dict[str, Entry] = {}
    sight = Sight()
    for entry in audited.entries:
        sight.add(entry)
        match entry.event:
            case RunRegistered() as plan:
                runs.setdefault(plan.run, entry)
                wrong = _registered(bundle, plan)
                if wrong:
                    report.add("orders", "untrusted", f"the items of run `{plan.run}`: {wrong}", entry.index)
            case OrderDrawn() as drawn if drawn.run in runs:
                run = runs[drawn.run]
                mark = sight.mark_of(run)
                if not mark or drawn.seed != seed_of(run.digest, mark):
                    words = "is drawn from something else than the cosignature behind its registration"
                    report.add("orders", "untrusted", f"the order of run `{drawn.run}` {words}", entry.index)
            case _:
                pass


def _registered(bundle: Bundle, plan: RunRegistered) -> str:
    """Return what is wrong with the list of items that a registration names; empty where it is not there."""
    sampling = plan.sampling
    try:
        if sampling is None:
            if plan.item_ids:
                _list(bundle.blob(plan.item_ids))
            return ""
        units = _units(bundle.blob(sampling.order))
    except KeyError:
        return ""  # whoever needs it says so
    except BundleError as error:
        return str(error)
    return "" if _is_drawn(sampling, units) else "their order is not one that the seed draws"


def _is_drawn(sampling: Sampling, units: Sequence[Sequence[str]]) -> bool:
    """Whether samples stand in the order of a seed, as far as it goes: names of clusters are not in the list."""
    if not sampling.seed or sampling.clustered_by:
        return True
    names = [unit[0] for unit in units]
    return list(shuffled(names, sampling.seed)) == names


def _units(data: bytes) -> list[list[str]]:
    found = _list(data)
    if not all(isinstance(unit, list) and unit for unit in found):
        raise BundleError("it is no list of samples")
    return [[_item(item) for item in unit] for unit in found if isinstance(unit, list)]


def _list(data: bytes) -> list[object]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError("it is no JSON") from error
    if not isinstance(found, list):
        raise BundleError("it is no list")
    return found


def _item(item: object) -> str:
    text = str(item)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BundleError("an item is named by half of a surrogate pair") from error
    return text
