-- The guard: what must hold in the database whatever the API, its settings or the proxy in front of it do.
--
-- The migration step applies these files in the order of their numbers, in one transaction, after each upgrade of the
-- upstream schema, as the database's owner; applying them again changes nothing. 90_seal.sql then records what was
-- applied, and priv.guard_findings() tells later whether all of it is still in force.
--
-- Conventions:
--   - Trigger functions are SECURITY DEFINER, so that they work alike for every role, with a fixed search_path, so that
--     no object of another schema can take the place of one that they name. It holds `public` because upstream's own
--     triggers, which they set off, count on it; nobody but the owner can create anything there.
--   - Triggers are ENABLE ALWAYS: upstream's migrations switch ordinary ones off (session_replication_role).
--   - Triggers begin with a_priv_: triggers of one kind fire in the order of their names, and ours come first.
--   - What a person can run into has an error code of its own, PV and the HTTP status that the API then answers with
--     (launcher/refusals.py); the message is what that person reads.
--   - Who administers the database can step aside for one transaction: SET LOCAL priv.operator = 'on'.

CREATE SCHEMA IF NOT EXISTS priv;
REVOKE ALL ON SCHEMA priv FROM PUBLIC;

CREATE TABLE IF NOT EXISTS priv.blocked_accounts (
  account_id uuid PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT now(),
  why text,
  -- What the account was before: unblocking gives it back.
  role_before public.account_role
);
COMMENT ON TABLE priv.blocked_accounts IS
  'Accounts that see nothing and write nothing from the moment of the insert on, whatever cookie or token they hold';

CREATE TABLE IF NOT EXISTS priv.hidden_by_report (
  picture_id uuid UNIQUE REFERENCES public.pictures (id) ON DELETE CASCADE,
  sequence_id uuid UNIQUE REFERENCES public.sequences (id) ON DELETE CASCADE,
  previous public.visibility_status NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  CHECK (num_nonnulls(picture_id, sequence_id) = 1)
);
COMMENT ON TABLE priv.hidden_by_report IS 'What a report hid, and the visibility it had before';

CREATE TABLE IF NOT EXISTS priv.replaced_functions (
  identity text PRIMARY KEY,
  -- Of upstream's version, as it was found before ours took its place.
  upstream_checksum text NOT NULL,
  upstream_source text NOT NULL,
  found_at timestamptz NOT NULL DEFAULT now(),
  -- Whether the authors of the guard have read that version: ours was written against it.
  reviewed boolean NOT NULL,
  guard_checksum text
);
COMMENT ON TABLE priv.replaced_functions IS 'Functions of upstream that the guard replaces';

CREATE TABLE IF NOT EXISTS priv.seal (
  kind text NOT NULL,
  identity text NOT NULL,
  checksum text NOT NULL,
  PRIMARY KEY (kind, identity)
);
COMMENT ON TABLE priv.seal IS 'The parts of the guard and their checksums, as they were last applied';

CREATE OR REPLACE FUNCTION priv.is_operator() RETURNS boolean
LANGUAGE sql STABLE SET search_path = ''
AS $$ SELECT current_setting('priv.operator', true) IS NOT DISTINCT FROM 'on' $$;

CREATE OR REPLACE FUNCTION priv.is_blocked(who uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$ SELECT EXISTS (SELECT FROM priv.blocked_accounts b WHERE b.account_id = who) $$;

CREATE OR REPLACE FUNCTION priv.is_admin(who uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT NOT priv.is_blocked(who)
    AND EXISTS (SELECT FROM public.accounts a WHERE a.id = who AND a.role = 'admin')
$$;

-- Guards one table: one call per trigger instead of three statements.
CREATE OR REPLACE FUNCTION priv.put_trigger(name text, event text, on_table regclass, function text, condition text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
  EXECUTE format('CREATE OR REPLACE TRIGGER %I %s ON %s FOR EACH ROW %s EXECUTE FUNCTION priv.%I()',
                 name, event, on_table, coalesce('WHEN (' || condition || ')', ''), function);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', on_table, name);
END
$$;
