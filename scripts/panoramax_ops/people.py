"""What a person's e-mail and name may look like, and the user name made of the name. Nothing here asks a server."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass

from panoramax_ops.errors import RefusedError

ROLES = ("user", "admin")
LANGUAGES = ("en", "fr", "de", "es")
EMAIL_LENGTH = 254
NAME_LENGTH = 80
GROUP_LENGTH = 80
USERNAME_LENGTH = (3, 64)

_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    r"(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+"
)
_USERNAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
# Keycloak refuses these in names (validator person-name-prohibited-characters) [measured]; control characters as well.
_NAME_FORBIDDEN = re.compile(r"[<>&\"$%!#?§;*~/\\|^=\[\]{}()\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069@]")
# Letters that Unicode does not take apart; Germans write their umlauts with an e.
_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
_GERMAN = {"ä": "ae", "ö": "oe", "ü": "ue"}

# Mailboxes that anybody can open or that vanish: the best known ones, so that nobody is let in by mistake.
_THROW_AWAY = """
0-mail.com 10minutemail.com 20minutemail.com byom.de discard.email dispostable.com dropmail.me emailondeck.com
fakeinbox.com getairmail.com getnada.com grr.la guerrillamail.com guerrillamail.de inboxkitten.com jetable.org
mail-temp.com mailcatch.com maildrop.cc mailinator.com mailnesia.com mintemail.com moakt.com mohmal.com mytemp.email
sharklasers.com spam4.me spamgourmet.com temp-mail.org tempail.com tempmail.com tempmail.net tempr.email
throwawaymail.com trash-mail.com trashmail.com trashmail.de wegwerfmail.de yopmail.com yopmail.fr yopmail.net
"""
_DISPOSABLE = frozenset(_THROW_AWAY.split())

# No character that is mistaken for another one in print: no i, l, o, 0, 1.
PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
PASSWORD_GROUPS = 4
PASSWORD_GROUP_LENGTH = 5


def check_email(text: str) -> str:
    """The address in the form in which it is stored. Raises RefusedError if it is none."""
    email = text.strip().lower()
    local = email.partition("@")[0]
    wrong_dots = local.startswith(".") or local.endswith(".") or ".." in local
    if len(email) > EMAIL_LENGTH or wrong_dots or not _EMAIL.fullmatch(email):
        raise RefusedError(
            f"{shown(text)} is not an e-mail address that people sign in with.", "Write it as name@example.org."
        )
    return email


def check_new_email(text: str) -> str:
    """The address of an account to be made. Raises RefusedError if it is none, or is one of a throw-away mailbox."""
    email = check_email(text)
    parts = email.partition("@")[2].split(".")
    if any(".".join(parts[first:]) in _DISPOSABLE for first in range(len(parts) - 1)):
        raise RefusedError(
            f"{shown(email)} belongs to a service of throw-away mailboxes, which others can read.",
            "Ask the person for an address of their own.",
        )
    return email


def check_name(text: str) -> str:
    """The display name with single spaces. Raises RefusedError if it is none, or is an e-mail address."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if "@" in name:
        raise RefusedError(
            f"The name {shown(text)} looks like an e-mail address, and names are shown to everybody.",
            'Give a name, for example --name "Jane Doe".',
        )
    if not 2 <= len(name) <= NAME_LENGTH:
        raise RefusedError(f"The name {shown(text)} is not between 2 and {NAME_LENGTH} characters long.")
    if bad := _NAME_FORBIDDEN.search(name):
        raise RefusedError(f"The name {shown(text)} holds {bad.group()!r}, which Keycloak does not take.")
    return name


def check_username(text: str) -> str:
    """A user name given by hand. Raises RefusedError if the site would not take it."""
    shortest, longest = USERNAME_LENGTH
    if not _USERNAME.fullmatch(text) or not shortest <= len(text) <= longest:
        raise RefusedError(
            f"The user name {shown(text)} is not {shortest} to {longest} characters of a-z, 0-9 and single . _ -.",
            "Give another one, for example --username jane.doe.",
        )
    return text


def username_of(name: str, language: str = "en") -> str:
    """User name made of a display name: 'Anna Müller' -> 'anna.muller' ('anna.mueller' in German).

    It is shown on the site, so it is made of the name and never of the e-mail.
    Raises RefusedError if too little is left, as of a name in another script.
    """
    text = name.lower()
    for letter, ascii_letters in {**_LETTERS, **(_GERMAN if language == "de" else {})}.items():
        text = text.replace(letter, ascii_letters)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    username = re.sub(r"[^a-z0-9-]+", ".", plain.replace("'", "")).strip(".-")
    username = re.sub(r"[.-]{2,}", ".", username)[: USERNAME_LENGTH[1]].strip(".-")
    if len(username) < USERNAME_LENGTH[0]:
        raise RefusedError(
            f"No user name can be made of {shown(name)}.",
            "Give one in Latin letters, for example --username jane.doe.",
        )
    return username


@dataclass(frozen=True)
class NewPerson:
    """Somebody who is to get an account. Made by `checked`, so that the values are acceptable."""

    email: str
    name: str
    username: str
    role: str
    language: str
    group: str = ""

    @classmethod
    def checked(cls, email: str, name: str, role: str, language: str, username: str = "", group: str = "") -> NewPerson:
        """Raises RefusedError at the first value that is not acceptable. `username` is made of the name if empty."""
        email, name = check_new_email(email), check_name(name)
        role, language, group = check_role(role), check_language(language), check_group(group)
        username = check_username(username) if username else username_of(name, language)
        return cls(email, name, username, role, language, group)


def split_name(name: str) -> tuple[str, str]:
    """First name and last name as Keycloak keeps them; the last word is the last name."""
    first, _, last = name.rpartition(" ")
    return (first, last) if first else (last, "")


def initial_password() -> str:
    """A password to type from paper: 20 characters in groups of five, 99 bits."""
    groups = (
        "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_GROUP_LENGTH)) for _ in range(PASSWORD_GROUPS)
    )
    return "-".join(groups)


def check_role(text: str) -> str:
    """`user` or `admin`. Raises RefusedError otherwise."""
    if text not in ROLES:
        raise RefusedError(f"There is no role {shown(text)}.", f"Give one of: {', '.join(ROLES)}.")
    return text


def check_group(text: str) -> str:
    """The name of a group, such as a field team, with single spaces; empty for none. Raises RefusedError otherwise."""
    group = " ".join(unicodedata.normalize("NFC", text).split())
    if len(group) > GROUP_LENGTH or not group.isprintable():
        raise RefusedError(
            f"The group {shown(text)} is longer than {GROUP_LENGTH} characters, or not text.",
            "Give a short name, for example --group 'Field team North'.",
        )
    return group


def check_language(text: str) -> str:
    """A language in which there are letters. Raises RefusedError otherwise."""
    if text not in LANGUAGES:
        raise RefusedError(
            f"There is no letter in the language {shown(text)}.", f"Give one of: {', '.join(LANGUAGES)}."
        )
    return text


def shown(text: str, length: int = 60) -> str:
    """The value as it may be printed: quoted, without control characters, not endless."""
    return repr(text if len(text) <= length else f"{text[:length]}...")
