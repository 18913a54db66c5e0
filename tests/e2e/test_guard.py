"""The guard of the database, asked directly: what it promises holds whatever the API or the proxy would let through.

Each test is one transaction that is rolled back at its end: it can run on a site in use.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from conftest import Site

pytestmark = pytest.mark.e2e

Sql = Callable[..., list[list[str]]]

ALICE, BOB, ROOT, GONE = (f"'00000000-0000-4000-9000-00000000000{number}'" for number in range(1, 5))
SEQUENCE, PICTURE, UPLOAD, OTHER_PICTURE = (f"'00000000-0000-4000-a000-00000000000{number}'" for number in range(1, 5))
SIGNED_IN, ADMINISTRATOR = (f"'00000000-0000-4000-8000-00000000000{number}'" for number in (1, 2))

# Two people, an administrator, and one picture of Alice's in a sequence; attempt() tells how a statement ended.
SCENE = f"""
BEGIN;
CREATE FUNCTION pg_temp.attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN 'done';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
INSERT INTO accounts (id, name, role)
  VALUES ({ALICE}, 'alice', 'user'), ({BOB}, 'bob', 'user'), ({ROOT}, 'root', 'admin');
INSERT INTO upload_sets (id, account_id, title) VALUES ({UPLOAD}, {ALICE}, 'test');
INSERT INTO sequences (id, account_id, status, metadata) VALUES ({SEQUENCE}, {ALICE}, 'ready', '{{"title": "test"}}');
-- As who administers the database: nobody else can show a picture that was not proved to be blurred.
SET LOCAL priv.operator = 'on';
INSERT INTO pictures (id, account_id, upload_set_id, geom, ts, metadata, status, preparing_status)
  VALUES ({PICTURE}, {ALICE}, {UPLOAD}, ST_SetSRID(ST_MakePoint(1, 48), 4326), now(),
          '{{"type": "flat", "width": 10, "height": 10, "blurredByAuthor": true}}', 'ready', 'prepared');
SET LOCAL priv.operator = 'off';
INSERT INTO sequences_pictures (seq_id, rank, pic_id) VALUES ({SEQUENCE}, 1, {PICTURE});
"""
SEEN = f"""SELECT is_picture_visible_by_user(p, null), is_picture_visible_by_user(p, {ALICE}),
  is_picture_visible_by_user(p, {BOB}), is_picture_visible_by_user(p, {ROOT}), is_picture_visible_by_user(p, {GONE})
  FROM pictures p WHERE id = {PICTURE};"""
EVERYBODY = ["f", "t", "t", "t", "f"]
OWNER_AND_ADMINISTRATOR = ["f", "t", "f", "t", "f"]


@pytest.fixture
def database_sql(site: Site) -> Sql:
    """Runs statements on the site's database, as ``user``, in one session; returns the rows of all of them."""

    def run(sql: str, user: str = "panoramax") -> list[list[str]]:
        psql = "psql --no-psqlrc -qAt -h /run/postgresql -U postgres -d panoramax -v ON_ERROR_STOP=1 -F\t -f -"
        done = subprocess.run(
            ["docker", "exec", "-i", f"{site.project}-database", *psql.split(" ")],
            input=f"SET SESSION AUTHORIZATION {user};\n{sql}",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    return run


@pytest.fixture
def scene(database_sql: Sql) -> Callable[[str], list[list[str]]]:
    """Runs statements after the scene is set, and takes all of it back."""
    return lambda statements: database_sql(f"{SCENE}{statements}\nROLLBACK;")


def attempt(statement: str) -> str:
    """SQL that tries a statement and returns `done` or the code of the error."""
    return f"SELECT pg_temp.attempt($statement${statement}$statement$);\n"


def report(by: str, target: str = f"picture_id = {PICTURE}", issue: str = "other") -> str:
    """A statement with which the account ``by`` reports."""
    column, value = target.split(" = ")
    return f"INSERT INTO reports (issue, reporter_account_id, {column}) VALUES ('{issue}', {by}, {value})"


def test_the_guard_is_whole_and_written_against_this_release(database_sql: Sql) -> None:
    assert database_sql("SELECT * FROM priv.guard_findings()") == []
    assert database_sql("SELECT * FROM priv.guard_warnings()") == []


@pytest.mark.parametrize(
    ("harm", "finding"),
    [
        ("DROP TRIGGER a_priv_never_public ON pictures", "a_priv_never_public on public.pictures is missing"),
        (
            "ALTER TABLE job_queue DISABLE TRIGGER a_priv_always_blur",
            "a_priv_always_blur on public.job_queue is changed",
        ),
        (
            "CREATE OR REPLACE FUNCTION is_picture_visible_by_user(pic pictures, account_id uuid) RETURNS boolean"
            " LANGUAGE sql STABLE AS 'SELECT true'",
            "is_picture_visible_by_user(public.pictures,uuid) is changed",
        ),
        (
            "CREATE OR REPLACE FUNCTION priv.is_blocked(who uuid) RETURNS boolean"
            " LANGUAGE sql STABLE AS 'SELECT false'",
            "priv.is_blocked(uuid) is changed",
        ),
        (f"SET LOCAL priv.operator = 'on'; DELETE FROM upload_sets WHERE id = {SIGNED_IN}", "is missing"),
        (
            "ALTER TABLE sequences DISABLE TRIGGER a_priv_never_public;"
            f"UPDATE sequences SET visibility = 'anyone' WHERE id = {SEQUENCE}",
            "something is visible to anyone",
        ),
    ],
)
def test_what_is_missing_or_changed_is_found(scene: Callable[[str], list[list[str]]], harm: str, finding: str) -> None:
    findings = scene(f"{harm}; SELECT finding FROM priv.guard_findings();")
    assert any(finding in row[0] for row in findings), findings


def test_who_sees_a_picture(scene: Callable[[str], list[list[str]]]) -> None:
    assert scene(SEEN) == [EVERYBODY]
    hidden = f"UPDATE pictures SET visibility = 'owner-only' WHERE id = {PICTURE};"
    assert scene(hidden + SEEN) == [OWNER_AND_ADMINISTRATOR]


@pytest.mark.parametrize("status", ["waiting-for-process", "broken", "hidden"])
def test_a_picture_that_is_not_ready_is_its_owners(scene: Callable[[str], list[list[str]]], status: str) -> None:
    assert scene(f"UPDATE pictures SET status = '{status}' WHERE id = {PICTURE};" + SEEN) == [OWNER_AND_ADMINISTRATOR]


def test_the_map_of_low_zooms_counts_what_everybody_may_see(scene: Callable[[str], list[list[str]]]) -> None:
    point = "ST_SetSRID(ST_MakePoint(-150.02, -45.03), 4326)"
    count = (
        f"SELECT pictures_aggregate_grid_expire_pic({point}); SELECT compute_pictures_aggregate_grid_expired() > 0;"
        f" SELECT count(*), sum(nb_non_public_pictures) FROM pictures_aggregate_grid WHERE geom = pic_to_grid({point});"
    )
    rows = scene(
        f"UPDATE pictures SET geom = {point} WHERE id = {PICTURE};"
        + count
        + f"UPDATE pictures SET visibility = 'owner-only' WHERE id = {PICTURE};"
        + count
    )
    assert [row for row in rows if len(row) == 2] == [["1", "1"], ["0", ""]]


def test_nobodys_name_is_an_address(scene: Callable[[str], list[list[str]]]) -> None:
    assert scene(f"UPDATE accounts SET name = 'b@c.org' WHERE id = {BOB} RETURNING name;") == [["person-00000000"]]


def test_a_sequence_is_drawn_without_its_hidden_pictures(scene: Callable[[str], list[list[str]]]) -> None:
    more = f"""SET LOCAL priv.operator = 'on';
      WITH made AS (INSERT INTO pictures (account_id, upload_set_id, geom, ts, metadata, status)
        SELECT account_id, upload_set_id, ST_Translate(geom, n * 0.0005, 0), ts, metadata, status
        FROM pictures, generate_series(1, 3) n WHERE id = {PICTURE} RETURNING id, geom)
      INSERT INTO sequences_pictures SELECT {SEQUENCE}, 1 + row_number() OVER (ORDER BY geom), id FROM made;
      UPDATE sequences SET geom = compute_sequence_geom(id), bbox = compute_sequence_bbox(id) WHERE id = {SEQUENCE};"""
    drawn = f"SELECT ST_NPoints(geom), ST_XMax(bbox) FROM sequences WHERE id = {SEQUENCE};"
    change = "UPDATE pictures SET visibility = '{}' WHERE ST_X(geom) > {};" + drawn
    steps = [("owner-only", 1.0012), ("owner-only", 0), ("logged-only", 0)]
    rows = scene(more + drawn + "".join(change.format(*step) for step in steps))
    assert rows == [["4", "1.0015"], ["3", "1.001"], ["", ""], ["4", "1.0015"]]


@pytest.mark.parametrize("table", ["pictures", "sequences", "upload_sets"])
@pytest.mark.parametrize("value", ["'anyone'", "NULL"])
@pytest.mark.parametrize("mode", ["origin", "replica"])
def test_nothing_becomes_public(scene: Callable[[str], list[list[str]]], table: str, value: str, mode: str) -> None:
    # Upstream's migrations set the mode to `replica`, in which ordinary triggers do not fire.
    rows = scene(
        f"SET LOCAL session_replication_role = {mode}; UPDATE {table} SET visibility = {value}"
        f" WHERE account_id = {ALICE};"
        f"SELECT DISTINCT visibility FROM {table} WHERE account_id = {ALICE};"
    )
    assert rows == [["logged-only"]]


def test_no_default_is_public(scene: Callable[[str], list[list[str]]]) -> None:
    rows = scene(
        f"UPDATE accounts SET default_visibility = 'anyone' WHERE id = {ALICE};"
        "UPDATE configurations SET default_visibility = 'anyone';"
        f"SELECT default_visibility FROM accounts WHERE id = {ALICE};"
        "SELECT default_visibility FROM configurations;"
        "UPDATE configurations SET default_visibility = NULL; SELECT default_visibility FROM configurations;"
    )
    assert rows == [["logged-only"]] * 3


@pytest.mark.parametrize(
    "issue",
    [
        "blur_missing",
        "blur_excess",
        "inappropriate",
        "privacy",
        "picture_low_quality",
        "mislocated",
        "copyright",
        "other",
    ],
)
def test_every_kind_of_report_hides_until_the_owner_has_dealt_with_it(
    scene: Callable[[str], list[list[str]]], issue: str
) -> None:
    close = f"UPDATE reports SET status = 'closed_solved', resolver_account_id = {ALICE} WHERE picture_id = {PICTURE};"
    rows = scene(
        f"{report(BOB, issue=issue)}; {SEEN} SELECT status FROM reports WHERE picture_id = {PICTURE}; {close} {SEEN}"
    )
    assert rows == [OWNER_AND_ADMINISTRATOR, ["open_autofix"], EVERYBODY]


def test_reports_of_sequences_hide_too(scene: Callable[[str], list[list[str]]]) -> None:
    seen = f"SELECT is_sequence_visible_by_user(s, {BOB}) FROM sequences s WHERE id = {SEQUENCE};"
    close = (
        f"UPDATE reports SET status = 'closed_ignored', resolver_account_id = {ROOT} WHERE sequence_id = {SEQUENCE};"
    )
    assert scene(f"{report(BOB, f'sequence_id = {SEQUENCE}')}; {seen} {close} {seen}") == [["f"], ["t"]]


def test_a_picture_stays_hidden_until_the_last_report_is_closed(scene: Callable[[str], list[list[str]]]) -> None:
    first = f"WITH r AS ({report(BOB)} RETURNING id) SELECT id AS first FROM r \\gset\n"
    close = "UPDATE reports SET status = 'closed_solved', resolver_account_id = {by} WHERE {which};"
    rows = scene(
        first
        + f"{report(ROOT, issue='privacy')};"
        + close.format(by=ALICE, which="id = :'first'")
        + SEEN
        + close.format(by=ROOT, which=f"picture_id = {PICTURE}")
        + SEEN
    )
    assert rows == [OWNER_AND_ADMINISTRATOR, EVERYBODY]


def test_who_reported_cannot_show_it_again(scene: Callable[[str], list[list[str]]]) -> None:
    close = f"UPDATE reports SET status = 'closed_solved', resolver_account_id = {BOB} WHERE picture_id = {PICTURE};"
    assert scene(f"{report(BOB)}; {close} {SEEN}") == [OWNER_AND_ADMINISTRATOR]


def test_what_the_owner_set_by_hand_is_not_undone(scene: Callable[[str], list[list[str]]]) -> None:
    by_hand = f"UPDATE pictures SET visibility = '{{}}', last_account_to_edit = {ALICE} WHERE id = {PICTURE};"
    close = f"UPDATE reports SET status = 'closed_solved', resolver_account_id = {ALICE} WHERE picture_id = {PICTURE};"
    shown_then_hidden = by_hand.format("logged-only") + by_hand.format("owner-only")
    assert scene(f"{report(BOB)}; {shown_then_hidden} {close} {SEEN}") == [OWNER_AND_ADMINISTRATOR]


def test_a_report_leaves_no_trace_by_which_the_picture_would_go_with_the_reporter(
    scene: Callable[[str], list[list[str]]],
) -> None:
    assert scene(f"{report(BOB)}; SELECT last_account_to_edit IS NULL FROM pictures WHERE id = {PICTURE};") == [["t"]]


def test_reports_that_are_refused(scene: Callable[[str], list[list[str]]]) -> None:
    hidden = f"UPDATE pictures SET visibility = 'owner-only' WHERE id = {PICTURE};"
    assert scene(attempt(report("NULL")) + SEEN) == [["PV401"], EVERYBODY]
    assert scene(hidden + attempt(report(BOB))) == [["PV404"]]
    many = (
        "DO $$ BEGIN FOR n IN 1..30 LOOP "
        + report(BOB)
        + "; UPDATE pictures SET visibility = 'logged-only'; END LOOP; END $$;"
    )
    assert scene(many + attempt(report(BOB)) + attempt(report(ROOT))) == [["PV429"], ["done"]]


def test_no_picture_gets_around_blurring(scene: Callable[[str], list[list[str]]]) -> None:
    # Upstream's trigger asks for a job without blurring for it. Not the scene's, which the operator has put there.
    claimed = f"""INSERT INTO pictures (id, account_id, upload_set_id, geom, ts, metadata, status)
        SELECT {OTHER_PICTURE}, account_id, upload_set_id, geom, ts, metadata, 'waiting-for-process'
        FROM pictures WHERE id = {PICTURE};"""
    args = f"SELECT coalesce(args::text, 'none') FROM job_queue WHERE picture_id = {OTHER_PICTURE};"
    again = (
        f"""UPDATE job_queue SET args = '{{"skip_blurring": true, "more": 1}}' WHERE picture_id = {OTHER_PICTURE};"""
    )
    assert scene(claimed + args + again + args) == [["none"], ['{"more": 1}']]
    operated = scene(claimed + "SET LOCAL priv.operator = 'on';" + again + args)
    assert operated == [['{"more": 1, "skip_blurring": true}']]


def test_no_transfer_is_queued(scene: Callable[[str], list[list[str]]]) -> None:
    assert scene(attempt(f"INSERT INTO job_queue (sequence_id, task) VALUES ({SEQUENCE}, 'transfer')")) == [["PV403"]]


def test_a_blocked_account_loses_everything_at_once_and_gets_its_role_back(
    scene: Callable[[str], list[list[str]]],
) -> None:
    state = f"""SELECT role, (SELECT count(*) FROM tokens t WHERE t.account_id = a.id),
      (SELECT is_upload_set_visible_by_user(u, a.id) FROM upload_sets u WHERE u.id = {SIGNED_IN}),
      (SELECT is_upload_set_visible_by_user(u, a.id) FROM upload_sets u WHERE u.id = {ADMINISTRATOR})
      FROM accounts a WHERE id = {ROOT};"""
    rows = scene(
        state
        + f"INSERT INTO priv.blocked_accounts (account_id, why) VALUES ({ROOT}, 'test');"
        + state
        + f"UPDATE accounts SET role = 'admin' WHERE id = {ROOT};"
        + attempt(f"INSERT INTO tokens (account_id) VALUES ({ROOT})")
        + attempt(f"INSERT INTO upload_sets (account_id, title) VALUES ({ROOT}, 'x')")
        + attempt(report(ROOT))
        + state
        + f"DELETE FROM priv.blocked_accounts WHERE account_id = {ROOT};"
        + state
    )
    assert rows == [
        ["admin", "1", "t", "t"],
        ["user", "0", "f", "f"],
        ["PV403"],
        ["PV403"],
        ["PV404"],
        ["user", "0", "f", "f"],
        ["admin", "0", "t", "t"],
    ]


def test_tokens_belong_to_somebody_from_the_first_moment(scene: Callable[[str], list[list[str]]]) -> None:
    rows = scene(
        attempt("INSERT INTO tokens (description) VALUES ('to be claimed')")
        + attempt(f"UPDATE tokens SET account_id = {BOB} WHERE account_id = {ALICE}")
        + attempt(f"INSERT INTO tokens (account_id) VALUES ({BOB})")
    )
    assert rows == [["PV403"], ["PV403"], ["done"]]


def test_no_token_works_for_longer_than_a_year(scene: Callable[[str], list[list[str]]]) -> None:
    # The scene's statements run as the role that the API has.
    count = f"SELECT count(*) FROM tokens WHERE account_id = {BOB};"
    age = (
        f"SET LOCAL priv.operator = 'on'; UPDATE tokens SET generated_at = now() - interval '{{}} days'"
        f" WHERE account_id = {BOB}; SET LOCAL priv.operator = 'off';"
    )
    assert scene(count + age.format(364) + count + age.format(367) + count) == [["1"], ["1"], ["0"]]


@pytest.mark.parametrize(("table", "target"), [("pictures", PICTURE), ("sequences", SEQUENCE)])
def test_only_the_owner_or_an_administrator_changes_the_visibility(
    scene: Callable[[str], list[list[str]]], table: str, target: str
) -> None:
    def edit(who: str, visibility: str) -> str:
        return attempt(
            f"UPDATE {table} SET visibility = '{visibility}', last_account_to_edit = {who} WHERE id = {target}"
        )

    rows = scene(
        edit(BOB, "owner-only") + edit(ALICE, "owner-only") + edit(ROOT, "logged-only") + edit(BOB, "logged-only")
    )
    # The last one changes nothing but who edited last.
    assert rows == [["PV403"], ["done"], ["done"], ["done"]]


def test_one_edits_only_what_one_sees(scene: Callable[[str], list[list[str]]]) -> None:
    def tag(who: str) -> str:
        return attempt(
            f"INSERT INTO pictures_semantics_history (picture_id, account_id, updates) VALUES ({PICTURE}, {who}, '[]')"
        )

    hidden = f"UPDATE pictures SET visibility = 'owner-only' WHERE id = {PICTURE};"
    assert scene(tag(BOB) + hidden + tag(BOB) + tag(ALICE) + tag(ROOT)) == [["done"], ["PV404"], ["done"], ["done"]]


def test_the_gates_sentinels_stay_as_they_are(scene: Callable[[str], list[list[str]]]) -> None:
    rows = scene(
        attempt(f"UPDATE upload_sets SET visibility = 'owner-only' WHERE id = {SIGNED_IN}")
        + attempt(f"DELETE FROM upload_sets WHERE id = {ADMINISTRATOR}")
        + attempt(f"UPDATE pictures SET upload_set_id = {SIGNED_IN} WHERE id = {PICTURE}")
    )
    assert rows == [["PV403"]] * 3


def test_the_scripts_role_can_do_its_work(database_sql: Sql) -> None:
    rows = database_sql(
        f"""BEGIN;
        INSERT INTO accounts (id, name, role) VALUES ({BOB}, 'bob', 'admin');
        UPDATE accounts SET name = 'robert' WHERE id = {BOB};
        INSERT INTO priv.blocked_accounts (account_id) VALUES ({BOB});
        SELECT count(*) FROM tokens WHERE account_id = {BOB};
        DELETE FROM priv.blocked_accounts WHERE account_id = {BOB};
        SELECT role FROM accounts WHERE id = {BOB};
        SELECT count(*) FROM priv.guard_findings();
        ROLLBACK;""",
        user="panoramax_ops",
    )
    assert rows == [["0"], ["admin"], ["0"]]


def test_the_scripts_role_can_do_no_more_than_its_work(database_sql: Sql) -> None:
    rows = database_sql(
        """SELECT c.oid::regclass::text, string_agg(a.privilege_type, ' ' ORDER BY a.privilege_type)
        FROM pg_class c, aclexplode(c.relacl) a
        WHERE a.grantee = 'panoramax_ops'::regrole GROUP BY 1 ORDER BY 1;
        SELECT has_database_privilege('panoramax_ops', 'panoramax', 'CREATE, TEMPORARY'),
          has_schema_privilege('panoramax_ops', 'public', 'CREATE'),
          has_schema_privilege('panoramax_ops', 'priv', 'CREATE'),
          has_database_privilege('panoramax_ops', 'keycloak', 'CONNECT');""",
        user="postgres",
    )
    assert rows == [
        ["accounts", "INSERT SELECT UPDATE"],
        ["configurations", "SELECT"],
        ["priv.account_log", "SELECT"],
        ["priv.blocked_accounts", "DELETE INSERT SELECT"],
        ["priv.replaced_functions", "SELECT"],
        ["priv.seal", "SELECT"],
        ["priv.token_ends", "INSERT SELECT"],
        ["tokens", "DELETE INSERT SELECT"],
        ["f", "f", "f", "f"],
    ]
