from __future__ import annotations

from tracker_server.access.oidc import Start
from tracker_server.access.pending_sign_ins import MAX_PER_ADDRESS, Pending, PendingSignIns


def _pending(state: str, provider: str = "campus") -> Pending:
    return Pending(provider, Start("https://a.example", state, "nonce", "verifier"), "https://b.example", "/")


def test_a_sign_in_belongs_to_its_browser_and_provider_and_works_once() -> None:
    all_of_them = PendingSignIns()
    browser = all_of_them.add(_pending("one"), "", "10.0.0.1")
    assert all_of_them.take("other", browser, "campus") is None
    assert all_of_them.take("one", "x" * len(browser), "campus") is None
    assert all_of_them.take("one", "", "campus") is None
    assert all_of_them.take("one", browser, "elsewhere") is None
    assert all_of_them.take("one", browser, "campus") == _pending("one")
    assert all_of_them.take("one", browser, "campus") is None


def test_several_tabs_sign_in_at_once() -> None:
    all_of_them = PendingSignIns()
    browser = all_of_them.add(_pending("one"), "", "10.0.0.1")
    assert all_of_them.add(_pending("two"), browser, "10.0.0.1") == browser
    assert all_of_them.take("one", browser, "campus") is not None
    assert all_of_them.take("two", browser, "campus") is not None


def test_one_address_pushes_out_only_its_own() -> None:
    all_of_them = PendingSignIns()
    mine = all_of_them.add(_pending("mine"), "", "10.0.0.1")
    for number in range(2 * MAX_PER_ADDRESS):
        flooder = all_of_them.add(_pending(f"flood{number}"), "", "10.0.0.2")
    assert all_of_them.take("mine", mine, "campus") is not None
    assert all_of_them.take("flood0", flooder, "campus") is None
    assert all_of_them.take(f"flood{2 * MAX_PER_ADDRESS - 1}", flooder, "campus") is not None
