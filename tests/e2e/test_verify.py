"""The verifier: it passes the site, leaves nothing behind, and names what is broken, whatever that is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

import mutations as m
from conftest import Site as Deployed
from mutations import Mutation, command, function, realm, rewritten, sql, stranger, together
from mutations_live import blurring_that_blurs_nothing, certificate_of, tagged, touched_settings
from panoramax_ops.verify import accounts, audit, features, inside, outside, pictures, proofs, realm_audit
from panoramax_ops.verify import realm as realm_checks
from panoramax_ops.verify.model import Check, Result, Stage, Verdict, run_stages
from panoramax_ops.verify.site import Site, open_site

pytestmark = pytest.mark.e2e

QUICK = (*inside.CHECKS, *proofs.CHECKS, *outside.CHECKS, *realm_checks.CHECKS)
FOLDER = "/data/geovisio/tmp/de/ad/de/ad"
ORPHAN = f"{FOLDER}/0000-4000-8000-00000000dead.jpg"
NOT_BLOCKED = "priv.is_blocked(who uuid) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT false'"
COLLABORATIVE = "UPDATE configurations SET collaborative_metadata = {}"
API_SETTINGS = "/run/secrets/api.json"
NGINX = "/etc/nginx/nginx.conf"
RULES = "/etc/nginx/gate/rules.conf"
HSTS = 'add_header Strict-Transport-Security "max-age='


def only(*titles: str) -> frozenset[str]:
    return frozenset(titles)


# What a container's init looks after.
LAUNCHER = "$(cat /proc/1/task/1/children)"
NEWEST = "(SELECT picture_id FROM priv.blurring_proofs ORDER BY recorded DESC LIMIT 1)"
# The superuser changes a proof, past the trigger that takes genuine ones only; twice is as before.
FORGE = (
    "ALTER TABLE priv.blurring_proofs DISABLE TRIGGER a_priv_only_proofs;"
    f" UPDATE priv.blurring_proofs SET signature = reverse(signature) WHERE picture_id = {NEWEST};"
    " ALTER TABLE priv.blurring_proofs ENABLE ALWAYS TRIGGER a_priv_only_proofs"
)
NEWEST_FILE = "f=$(find /data/geovisio/permanent -name '*.jpg' -printf '%T@ %p\\n' | sort -n | tail -1 | cut -d' ' -f2)"
MUTATIONS = [
    Mutation("a forged proof", only(m.PROVED), "its proof is not signed by the blurring", sql(FORGE, FORGE)),
    Mutation(
        "a picture changed after it was blurred",
        only(m.ANSWERED),
        "files are not what the blurring answered",
        command("api", f'{NEWEST_FILE}; printf x >>"$f"', f'{NEWEST_FILE}; truncate -s -1 "$f"'),
    ),
    Mutation(
        "proofs verified by another function",
        only(m.PROVED),
        "belongs to another than the superuser",
        # A new owner's own rights take the place of those that were granted to it.
        sql(
            "ALTER FUNCTION proof.signed OWNER TO panoramax",
            "ALTER FUNCTION proof.signed OWNER TO postgres; GRANT EXECUTE ON FUNCTION proof.signed TO panoramax",
        ),
    ),
    Mutation("trigger dropped", only(m.GUARD), "a_priv_never_public on public.pictures is missing", m.dropped_trigger),
    Mutation(
        "trigger switched off",
        only(m.GUARD),
        "a_priv_always_blur on public.job_queue is changed",
        sql(
            "ALTER TABLE job_queue DISABLE TRIGGER a_priv_always_blur",
            "ALTER TABLE job_queue ENABLE ALWAYS TRIGGER a_priv_always_blur",
        ),
    ),
    Mutation(
        "function of the guard replaced",
        only(m.GUARD),
        "priv.is_blocked(uuid) is changed",
        function(
            "priv.is_blocked(uuid)", "priv.is_blocked(who uuid) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT false'"
        ),
    ),
    Mutation(
        "upstream's function back, which shows too much",
        only(m.GUARD, m.ALONE),
        "00000000-0000-4000-8000-000000000002: 200",
        function(
            "is_upload_set_visible_by_user(upload_sets, uuid)",
            "is_upload_set_visible_by_user(us upload_sets, account_id uuid) RETURNS boolean"
            " LANGUAGE sql STABLE AS 'SELECT true'",
        ),
        # The gate asks the API by that very function: it lets strangers in as well.
        also=only(m.HARVEST),
    ),
    Mutation("something made public", only(m.GUARD, m.PUBLIC), "1 upload_sets are public", m.public_upload),
    Mutation(
        "collaborative editing on",
        only(m.DEFAULT),
        "collaborative editing t",
        sql(
            "UPDATE configurations SET collaborative_metadata = true",
            "UPDATE configurations SET collaborative_metadata = false",
        ),
    ),
    Mutation(
        "an original left over",
        only(m.ORIGINALS),
        "deaddead-0000-4000-8000-00000000dead",
        # The worker rests: it would sweep the file away.
        together(
            command("worker-1", f"kill -STOP {LAUNCHER}", f"kill -CONT {LAUNCHER}"),
            command(
                "api", f"mkdir -p $(dirname {ORPHAN}) && touch -d '1 hour ago' {ORPHAN}", "rm -r /data/geovisio/tmp/de"
            ),
        ),
    ),
    Mutation(
        "pictures readable by others",
        only(m.FILES),
        "/data/geovisio/permanent has mode 755",
        command("api", "chmod 755 /data/geovisio/permanent", "chmod 700 /data/geovisio/permanent"),
    ),
    Mutation("secrets readable by others", only(m.FILES), "/run/secrets/api.json has mode 644", m.readable_secret),
    Mutation(
        "API_FORCE_AUTH_ON_UPLOAD=True",
        only(m.SETTINGS),
        "API_FORCE_AUTH_ON_UPLOAD is True",
        rewritten("api", API_SETTINGS, '"API_FORCE_AUTH_ON_UPLOAD": "true"', '"API_FORCE_AUTH_ON_UPLOAD": "True"'),
    ),
    Mutation(
        "a worker that does not blur",
        only(m.SETTINGS),
        "API_BLUR_URL is not set",
        rewritten("worker-1", API_SETTINGS, '"API_BLUR_URL"', '"API_BLUR_URI"'),
    ),
    Mutation("a service on the front network", only(m.WAY_OUT), "-website is on", m.on_front),
    Mutation("a container with rights", only(m.CONFINED), "keeps capabilities", stranger(cap_drop=[])),
    Mutation(
        "a container that can be changed", only(m.CONFINED), "file system can be written", stranger(read_only=False)
    ),
    Mutation("a container that may take memory", only(m.CONFINED), "has no memory limit", stranger(mem_limit=0)),
    Mutation(
        "an image without a version", only(m.IMAGES), "is not pinned", tagged("panoramax-mutation:latest", moved=False)
    ),
    Mutation(
        "an image behind whose name is another",
        only(m.IMAGES),
        "runs an older",
        tagged("panoramax-mutation:1", moved=True),
    ),
    Mutation("settings written after the start", only(m.SETTINGS), "worker-1: started before", touched_settings),
    Mutation("a certificate that ends soon", only(m.ENCRYPTED), "in 4 days", certificate_of(5)),
    Mutation(
        "a clock that goes wrong",
        only(m.CLOCKS),
        "3600 s apart",
        sql(
            "CREATE SCHEMA mutation; CREATE FUNCTION mutation.now() RETURNS timestamptz LANGUAGE sql"
            " AS $$SELECT pg_catalog.now() + interval '1 hour'$$;"
            " ALTER ROLE postgres IN DATABASE panoramax SET search_path = mutation, pg_catalog, public",
            "ALTER ROLE postgres IN DATABASE panoramax RESET search_path; DROP SCHEMA mutation CASCADE",
        ),
    ),
    Mutation("a container that runs as root", only(m.CONFINED), "runs as 0:0", stranger(user="0:0")),
    Mutation(
        "a published port",
        only(m.PORTS, m.WAY_OUT),
        "published besides the proxy",
        stranger(network="bridge", ports={"8080/tcp": ("127.0.0.1", None)}),
    ),
    Mutation(
        "a secret in the environment", only(m.DOCKER), "secret_database_ops in", stranger(secret="secret_database_ops")
    ),
    Mutation(
        "registration on",
        only(m.HARDENED),
        "anybody can register",
        realm("", registrationAllowed=True),
        also=only(m.REGISTRATION),
    ),
    Mutation(
        "passwords guessed without end", only(m.HARDENED), "bruteForceProtected", realm("", bruteForceProtected=False)
    ),
    Mutation("short passwords", only(m.HARDENED), "shorter than 12", realm("", passwordPolicy="length(4)")),
    Mutation("unencrypted sign-in", only(m.HARDENED), "sslRequired is none", realm("", sslRequired="none")),
    Mutation("no record of sign-ins", only(m.HARDENED), "eventsEnabled", realm("", eventsEnabled=False)),
    Mutation(
        "no change of the initial password",
        only(m.HARDENED),
        "need not be changed",
        realm("/authentication/required-actions/UPDATE_PASSWORD", enabled=False),
    ),
    Mutation("people from elsewhere", only(m.HARDENED), "identity provider mutation", m.identity_provider),
    Mutation(
        "passwords taken by a client",
        only(m.CLIENTS),
        "geovisio: takes passwords directly",
        realm("/clients?clientId=geovisio", directAccessGrantsEnabled=True),
    ),
    Mutation(
        "a client that leads anywhere",
        only(m.CLIENTS),
        "geovisio: leads to https://mutation.invalid/*",
        realm("/clients?clientId=geovisio", redirectUris=["https://mutation.invalid/*"]),
        # The API's own address is refused then.
        also=only(m.REGISTRATION),
    ),
    Mutation("an unknown client", only(m.CLIENTS), "unknown client mutation", m.unknown_client),
    Mutation("a person who manages", only(m.MANAGERS), "verification.other", m.manager),
    Mutation(
        "no HSTS",
        only(m.ENCRYPTED),
        "Strict-Transport-Security",
        rewritten("proxy", NGINX, HSTS, HSTS.replace("max", "xam")),
    ),
    Mutation(
        "other sites may read",
        only(m.FOREIGN),
        "access-control-allow-origin",
        rewritten("proxy", NGINX, HSTS, f'add_header Access-Control-Allow-Origin "*" always;\n    {HSTS}'),
    ),
    Mutation(
        "open to harvesters",
        only(m.HARVEST),
        "/api/collections",
        rewritten("proxy", RULES, "default nobody;", 'default nobody;\n    "~^GET /api/collections" anonymous;'),
    ),
]


def run(site: Site, *checks: Check) -> dict[str, Result]:
    results = run_stages([Stage(checks, side_by_side=True)], site, lambda _: None)
    return {result.title: result for result in results}


def broken(results: dict[str, Result]) -> dict[str, str]:
    return {title: result.evidence for title, result in results.items() if result.verdict is Verdict.BROKEN}


def unsure(results: dict[str, Result]) -> dict[str, str]:
    return {title: result.evidence for title, result in results.items() if result.verdict is Verdict.UNKNOWN}


def check_of(checks: tuple[Check, ...], title: str) -> Check:
    return next(check for check in checks if check.title == title)


@pytest.fixture(scope="module")
def opened(site: Deployed) -> Iterator[Site]:
    """The site as the verifier has it, with the verifier's people signed in."""
    with open_site(site.inventory) as found:
        found.cast.hire()
        yield found


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_what_is_broken_is_named(opened: Site, mutation: Mutation) -> None:
    with mutation.broken(opened):
        results = run(opened, *QUICK)
    found = broken(results)
    assert mutation.named <= set(found) <= mutation.named | mutation.also, found
    assert mutation.word in " ".join(found.values())
    assert unsure(results) == {}


def test_all_is_as_before(opened: Site) -> None:
    results = run(opened, *QUICK)
    assert (broken(results), unsure(results)) == ({}, {})


@pytest.mark.parametrize(
    ("line", "titles", "word"),
    [
        (
            '"~^GET /api/users/[?]" anonymous;',
            {"Anonymous callers are refused everywhere"},
            "GET /api/users/",
        ),
        (
            '"~^POST /api/transfers" signed_in;',
            {
                "Users are refused what is not theirs",
                "Tokens open no more than their owner may",
                "Administrators are refused what is closed",
            },
            "POST /api/transfers",
        ),
        (
            '"~^GET /api/admin/stats" signed_in;',
            {"Users are refused what is not theirs", "Tokens open no more than their owner may"},
            "GET /api/admin/stats",
        ),
    ],
)
def test_a_route_opened_in_nginx_is_named(opened: Site, line: str, titles: set[str], word: str) -> None:
    with rewritten("proxy", RULES, "default nobody;", f"default nobody;\n    {line}")(opened):
        found = broken(run(opened, *audit.CHECKS))
    assert set(found) == titles
    assert word in " ".join(found.values())


def test_a_route_that_upstream_adds_is_named(opened: Site) -> None:
    policy = opened.policy
    missing = tuple(rule for rule in policy.rules if rule.path != "/api/jobs/stats")
    opened.policy = dataclasses.replace(policy, rules=missing)
    try:
        found = broken(run(opened, audit.SERVED, *audit.CHECKS))
    finally:
        opened.policy = policy
    assert "GET /api/jobs/stats" in found["The policy names the API's program"]
    assert set(found) <= {"The policy names the API's program", "The policy names the API's document"}


def test_an_alarm_of_kcwarden_is_named(opened: Site) -> None:
    """A client of Keycloak's own that the deployment has closed is opened again."""
    (check,) = realm_audit.CHECKS
    assert broken(run(opened, check)) == {}
    with realm("/clients?clientId=account-console", enabled=True)(opened):
        assert "account-console: " in broken(run(opened, check))[check.title]


def test_a_page_that_is_missing_is_named(opened: Site) -> None:
    with rewritten("proxy", RULES, "default nobody;", 'default nobody;\n    "~^GET /explore" nobody;')(opened):
        assert "/explore for a signed-in user: " in broken(run(opened, *features.CHECKS))["The page to explore"]


def test_sessions(opened: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cookie that anybody can read, a sign-out that does nothing, an administrator who stays one."""
    monkeypatch.setattr(accounts, "PATIENCE", 1)
    cookies, signed_out, demoted = (
        check_of(accounts.CLOSING, title)
        for title in (
            "Cookies are kept safe",
            "Signing out ends the session",
            "A demoted administrator loses the rights at once",
        )
    )
    jar = opened.cast["user"].session.cookies
    jar.set("session_plain", "x", domain="localhost.local", path="/")
    assert "session_plain" in broken(run(opened, cookies))[cookies.title]
    jar.delete("session_plain")
    with rewritten("proxy", RULES, "default nobody;", 'default nobody;\n    "~^GET /api/auth/logout" nobody;')(opened):
        assert "without a password" in broken(run(opened, signed_out))[signed_out.title]
    with monkeypatch.context() as patch:
        patch.setattr(opened.accounts, "set_role", lambda *_, **__: None)
        assert "still let in" in broken(run(opened, demoted))[demoted.title]


def test_a_blurring_that_blurs_nothing_is_named(opened: Site) -> None:
    """Swapped while the site runs; and a job that leaves the blurring out."""
    check = check_of(pictures.CHECKS, "Faces and plates are blurred for others")
    deletion = check_of(pictures.CHECKS, "What is deleted is gone")
    with blurring_that_blurs_nothing(opened):
        found = run(opened, check)
    assert set(broken(found)) == {check.title}, found
    assert "face" in broken(found)[check.title]
    assert opened.photo is not None
    jobs = check_of(inside.CHECKS, m.ORIGINALS)
    skip = f"""SET LOCAL priv.operator = 'on'; INSERT INTO job_queue (picture_id, task, args, to_do_after_ts)
        VALUES ('{opened.photo.picture}', 'prepare', '{{"skip_blurring": true}}', now() + interval '1 hour')"""
    back = f"DELETE FROM job_queue WHERE picture_id = '{opened.photo.picture}'"
    with sql(skip, back)(opened):
        assert "1 jobs leave out the blurring" in broken(run(opened, jobs))[jobs.title]
    left = f"/data/geovisio/permanent/{opened.photo.folder}.mutation"
    with command("api", f"touch {left}", f"rm {left}")(opened):
        assert "file left" in broken(run(opened, deletion))[deletion.title]


def test_pictures(opened: Site) -> None:
    """One picture for all: what no longer hides, what becomes public, and what others may do with it."""
    assert broken(run(opened, check_of(pictures.CHECKS, "Faces and plates are blurred for others"))) == {}
    line = '"~^POST /api/collections/[^/]+/prepare" signed_in;'
    with rewritten("proxy", RULES, "default nobody;", f"default nobody;\n    {line}")(opened):
        assert "/prepare: " in broken(run(opened, audit.OTHER))[audit.OTHER.title]
    reports = check_of(pictures.CHECKS, "Reported is hidden until dealt with")
    trigger = "ALTER TABLE reports {} TRIGGER a_priv_report_hides"
    with sql(trigger.format("DISABLE"), trigger.format("ENABLE ALWAYS"))(opened):
        assert "hd.jpg: 200" in broken(run(opened, reports))[reports.title]
    public = check_of(pictures.CHECKS, "Nothing becomes public")
    switch = "; ".join(f"ALTER TABLE {table} {{}} TRIGGER a_priv_never_public" for table in ("pictures", "sequences"))
    assert opened.photo is not None
    back = "; ".join(
        f"UPDATE {table} SET visibility = 'logged-only' WHERE id = '{identifier}'"
        for table, identifier in (("pictures", opened.photo.picture), ("sequences", opened.photo.collection))
    )
    with sql(switch.replace("{}", "DISABLE"), f"{switch.replace('{}', 'ENABLE ALWAYS')}; {back}")(opened):
        assert "is anyone" in broken(run(opened, public))[public.title]
        everywhere = check_of(inside.CHECKS, m.PUBLIC)
        assert "1 pictures are public" in broken(run(opened, everywhere))[everywhere.title]
    deletion = check_of(pictures.CHECKS, "What is deleted is gone")
    assert broken(run(opened, deletion)) == {}


def test_an_account_that_is_disabled_in_keycloak_only_is_named(opened: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """As stock instances do it: cookies and tokens go on."""
    user = opened.cast["disabled"].user_id
    monkeypatch.setattr(accounts, "PATIENCE", 3)
    monkeypatch.setattr(
        opened.accounts, "disable", lambda *_, **__: opened.keycloak.update_user(user, {"enabled": False})
    )
    check = check_of(accounts.CLOSING, "A disabled account is shut out at once")
    assert "still let in" in broken(run(opened, check))[check.title]
    assert "the account is not disabled" in broken(run(opened, audit.DISABLED))[audit.DISABLED.title]
