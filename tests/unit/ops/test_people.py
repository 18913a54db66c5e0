"""E-mails, names, user names and initial passwords."""

from __future__ import annotations

import re

import pytest

from panoramax_ops import people
from panoramax_ops.errors import RefusedError


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("jane@example.org", "jane@example.org"),
        ("  Jane.Doe@Example.ORG \n", "jane.doe@example.org"),
        ("o'brien+maps@sub.example.co.uk", "o'brien+maps@sub.example.co.uk"),
    ],
)
def test_an_address_is_kept_in_one_form(given: str, kept: str) -> None:
    assert people.check_email(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "jane",
        "jane@localhost",
        "jane@@example.org",
        "jane doe@example.org",
        "jane@example.org, bob@example.org",
        ".jane@example.org",
        "ja..ne@example.org",
        "jane@-example.org",
        "jane@example..org",
        "<jane@example.org>",
        '=cmd("x")@example.org',
        "jane@example.org\nbob@example.org",
        "ja\u0131ne@example.org",
        "j" * 300 + "@example.org",
    ],
)
def test_what_is_no_address_is_refused_with_its_value(given: str) -> None:
    with pytest.raises(RefusedError) as refused:
        people.check_email(given)
    assert repr(given[:60])[1:-1] in refused.value.message
    assert len(refused.value.message) < 200
    assert refused.value.exit_code == 1


@pytest.mark.parametrize(
    ("given", "kept"), [("Jane Doe", "Jane Doe"), ("  Ana  María\tNúñez ", "Ana María Núñez"), ("Иван Петров",) * 2]
)
def test_a_name_is_kept_as_people_write_it(given: str, kept: str) -> None:
    assert people.check_name(given) == kept


@pytest.mark.parametrize(
    "given", ["", "J", "jane@example.org", "<b>Jane</b>", "=cmd()", "Jane\u202eDoe", "a" * 81, "Jane; DROP"]
)
def test_a_name_that_harms_is_refused(given: str) -> None:
    with pytest.raises(RefusedError):
        people.check_name(given)


@pytest.mark.parametrize(
    ("name", "language", "username"),
    [
        ("Jane Doe", "en", "jane.doe"),
        ("Anna Müller", "de", "anna.mueller"),
        ("Anna Müller", "fr", "anna.muller"),
        ("José-María O'Brien", "es", "jose-maria.obrien"),
        ("Łukasz Straße", "en", "lukasz.strasse"),
        ("  Dr. A. - B.  ", "en", "dr.a.b"),
        ("x" * 80, "en", "x" * 64),
    ],
)
def test_user_names_are_made_of_names(name: str, language: str, username: str) -> None:
    assert people.username_of(name, language) == username
    assert people.check_username(username) == username


@pytest.mark.parametrize("name", ["Иван Петров", "李", "--", "Jo"])
def test_a_name_of_which_nothing_is_left_asks_for_a_user_name(name: str) -> None:
    with pytest.raises(RefusedError, match="No user name") as refused:
        people.username_of(name)
    assert "--username" in refused.value.remedy


@pytest.mark.parametrize("given", ["Jane", "jane@example.org", "ja", "jane..doe", ".jane", "jane doe", "j" * 65])
def test_a_user_name_given_by_hand_is_checked(given: str) -> None:
    with pytest.raises(RefusedError):
        people.check_username(given)


def test_the_last_word_is_the_last_name() -> None:
    assert people.split_name("Ana María Núñez") == ("Ana María", "Núñez")
    assert people.split_name("Madonna") == ("Madonna", "")


def test_initial_passwords_can_be_typed_from_paper_and_differ() -> None:
    passwords = {people.initial_password() for _ in range(100)}
    assert len(passwords) == 100
    assert all(re.fullmatch(r"[a-hjkmnp-z2-9]{5}(-[a-hjkmnp-z2-9]{5}){3}", password) for password in passwords)


def test_roles_and_languages_are_a_closed_list() -> None:
    assert people.check_role("admin") == "admin"
    assert people.check_language("es") == "es"
    with pytest.raises(RefusedError, match="'root'"):
        people.check_role("root")
    with pytest.raises(RefusedError, match="'it'"):
        people.check_language("it")
