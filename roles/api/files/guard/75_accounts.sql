-- What the life of an account takes beyond writing its row: tokens with an end, the time of the last login, deletion
-- with everything that hangs on it, and the answer to a person who asks for all that is stored about them.

CREATE TABLE IF NOT EXISTS priv.token_ends (
  token_id uuid PRIMARY KEY REFERENCES public.tokens (id) ON DELETE CASCADE,
  ends timestamptz NOT NULL
);
COMMENT ON TABLE priv.token_ends IS 'API tokens that stop working by themselves; upstream''s never do';

CREATE TABLE IF NOT EXISTS priv.logins (
  account_id uuid PRIMARY KEY REFERENCES public.accounts (id) ON DELETE CASCADE,
  latest timestamptz NOT NULL
);
COMMENT ON TABLE priv.logins IS 'When people last logged in';

-- Every token has an end, so that people and audits can see it: a year, the longest that one works
-- (76_token_lifetime.sql), unless the statement that makes it says less, or its description ends with "(until 2027-01-31)",
-- as the website writes it: upstream's route takes nothing but a description. An end that is no day to come is refused
-- rather than overlooked: who wrote it relies on it. Those from before get theirs here.
CREATE OR REPLACE FUNCTION priv.token_gets_end() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  latest constant timestamptz := NEW.generated_at + interval '365 days';
  said constant text := substring(NEW.description FROM '\(until ([^()]*)\)$');
  wanted timestamptz;
BEGIN
  IF said IS NOT NULL THEN
    IF said !~ '^\d{4}-\d{2}-\d{2}$' OR NOT pg_input_is_valid(said, 'date') THEN
      RAISE EXCEPTION 'A token cannot end on "%": there is no such day. Write one as 2027-01-31.', left(said, 40)
        USING ERRCODE = 'PV400';
    END IF;
    wanted := (said::date + 1)::timestamp AT TIME ZONE 'UTC';
    IF wanted <= NEW.generated_at THEN
      RAISE EXCEPTION 'A token cannot end on %: that day is over.', said USING ERRCODE = 'PV400';
    END IF;
  END IF;
  -- least() leaves NULL out.
  INSERT INTO priv.token_ends (token_id, ends) VALUES (NEW.id, least(latest, wanted)) ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
SELECT priv.put_trigger('a_priv_token_gets_end', 'AFTER INSERT', 'public.tokens', 'token_gets_end');
INSERT INTO priv.token_ends (token_id, ends) SELECT id, generated_at + interval '365 days' FROM public.tokens ON CONFLICT DO NOTHING;

-- What administrators did, line by line. The scripts may add to it; nobody but the database's administrator can take
-- anything back.
CREATE TABLE IF NOT EXISTS priv.account_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  noted timestamptz NOT NULL DEFAULT now(),
  line text NOT NULL CHECK (length(line) < 10000)
);
COMMENT ON TABLE priv.account_log IS 'The record of what administrators did with accounts (scripts/accounts.py log)';

-- From its end on, a token is not there for anybody who asks; who administers the database still sees it.
CREATE OR REPLACE FUNCTION priv.token_works(token uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$ SELECT NOT EXISTS (SELECT FROM priv.token_ends e WHERE e.token_id = token AND e.ends <= now()) $$;

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = 'public.tokens'::regclass AND polname = 'a_priv_token_works') THEN
    CREATE POLICY a_priv_token_works ON public.tokens USING (priv.token_works(id) OR priv.is_operator()) WITH CHECK (true);
  END IF;
END
$$;
-- FORCE: the API is the table's owner, to whom policies do not apply otherwise.
ALTER TABLE public.tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- Upstream writes the name at each login. The scripts, which rename, are another user of the database.
CREATE OR REPLACE FUNCTION priv.note_login() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF session_user <> 'panoramax_ops' AND NEW.oauth_id IS NOT NULL THEN
    INSERT INTO priv.logins (account_id, latest) VALUES (NEW.id, now())
    ON CONFLICT (account_id) DO UPDATE SET latest = excluded.latest;
  END IF;
  RETURN NULL;
END
$$;
SELECT priv.put_trigger('a_priv_note_login', 'AFTER INSERT OR UPDATE OF name', 'public.accounts', 'note_login');

-- What one account, or each, has been used for.
CREATE OR REPLACE FUNCTION priv.account_usage(who uuid DEFAULT NULL) RETURNS TABLE (account_id uuid, last_login text, pictures bigint, bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT a.id, l.latest::text,
         (SELECT count(*) FROM public.pictures p WHERE p.account_id = a.id),
         (SELECT coalesce(sum(f.size), 0)::bigint FROM public.files f JOIN public.upload_sets u ON u.id = f.upload_set_id
          WHERE u.account_id = a.id AND f.picture_id IS NOT NULL)
  FROM public.accounts a LEFT JOIN priv.logins l ON l.account_id = a.id
  WHERE a.oauth_provider IS NOT NULL AND (who IS NULL OR a.id = who)
$$;

-- How much of everything an account holds, by name.
CREATE OR REPLACE FUNCTION priv.account_holdings(who uuid) RETURNS TABLE (what text, number bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT 'pictures', count(*) FROM public.pictures WHERE account_id = who
  UNION ALL SELECT 'sequences', count(*) FROM public.sequences WHERE account_id = who AND status <> 'deleted'
  UNION ALL SELECT 'uploads', count(*) FROM public.upload_sets WHERE account_id = who
  UNION ALL SELECT 'tokens', count(*) FROM public.tokens WHERE account_id = who
  UNION ALL SELECT 'excluded areas', count(*) FROM public.excluded_areas WHERE account_id = who
  UNION ALL SELECT 'reports made', count(*) FROM public.reports WHERE reporter_account_id = who
$$;

-- Deletes an account. `pictures_go` says where its pictures go: transfer (to `heir`), delete, or keep (the row stays,
-- without a name and blocked for ever). Returns the pictures whose originals the API would leave among its temporary
-- files. One transaction: an interruption leaves all or nothing.
CREATE OR REPLACE FUNCTION priv.delete_account(who uuid, pictures_go text, heir uuid DEFAULT NULL) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '20s'
AS $$
DECLARE
  stand_in uuid;
BEGIN
  IF NOT EXISTS (SELECT FROM public.accounts a WHERE a.id = who AND NOT a.is_default FOR UPDATE) THEN
    RAISE EXCEPTION 'there is no such account' USING ERRCODE = 'PV404';
  END IF;
  IF NOT priv.is_blocked(who) THEN
    RAISE EXCEPTION 'only a blocked account can be deleted: nothing may come from it any more' USING ERRCODE = 'PV403';
  END IF;
  IF pictures_go = 'transfer' THEN
    IF heir = who OR priv.is_blocked(heir) OR NOT EXISTS (SELECT FROM public.accounts a WHERE a.id = heir FOR SHARE) THEN
      RAISE EXCEPTION 'pictures cannot go to that account' USING ERRCODE = 'PV403';
    END IF;
    UPDATE public.upload_sets SET account_id = heir WHERE account_id = who;
    UPDATE public.sequences SET account_id = heir WHERE account_id = who;
    UPDATE public.pictures SET account_id = heir WHERE account_id = who;
  ELSIF pictures_go = 'delete' THEN
    RETURN QUERY SELECT p.id FROM public.pictures p WHERE p.account_id = who AND p.preparing_status <> 'prepared';
    DELETE FROM public.pictures WHERE account_id = who;
    DELETE FROM public.upload_sets WHERE account_id = who;
    DELETE FROM public.sequences WHERE account_id = who;
  ELSIF pictures_go IS DISTINCT FROM 'keep' THEN
    RAISE EXCEPTION 'pictures go by transfer, delete or keep' USING ERRCODE = 'PV403';
  END IF;

  -- Upstream deletes with an account whatever it edited last, other people's pictures too. The marks go to the default
  -- account; the entries that this makes in the history of changes are taken out again.
  SELECT a.id INTO stand_in FROM public.accounts a WHERE a.is_default;
  UPDATE public.pictures SET last_account_to_edit = stand_in WHERE last_account_to_edit = who;
  UPDATE public.sequences SET last_account_to_edit = stand_in WHERE last_account_to_edit = who;
  DELETE FROM public.pictures_changes WHERE account_id = who OR (account_id = stand_in AND ts = now());
  DELETE FROM public.sequences_changes WHERE account_id = who OR (account_id = stand_in AND ts = now());
  DELETE FROM public.pictures_semantics_history WHERE account_id = who;
  DELETE FROM public.sequences_semantics_history WHERE account_id = who;
  DELETE FROM public.excluded_areas WHERE account_id = who;
  DELETE FROM public.tokens WHERE account_id = who;
  IF pictures_go = 'keep' THEN
    UPDATE public.reports SET reporter_account_id = NULL, reporter_email = NULL WHERE reporter_account_id = who;
    UPDATE public.accounts SET name = 'deleted account', oauth_provider = NULL, oauth_id = NULL, tos_accepted_at = NULL WHERE id = who;
    DELETE FROM priv.logins WHERE account_id = who;
    UPDATE priv.blocked_accounts SET why = 'deleted', role_before = 'user' WHERE account_id = who;
  ELSE
    UPDATE public.reports SET reporter_email = NULL WHERE reporter_account_id = who;
    DELETE FROM public.accounts WHERE id = who;
    DELETE FROM priv.blocked_accounts WHERE account_id = who;
  END IF;
END
$$;

-- Everything that is stored about a person, one object per row; no secrets (a token is its id and a secret of the API).
CREATE OR REPLACE FUNCTION priv.export_account(who uuid) RETURNS TABLE (kind text, item jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT 'account', to_jsonb(a) || jsonb_build_object('last_login', (SELECT l.latest FROM priv.logins l WHERE l.account_id = who))
    FROM public.accounts a WHERE a.id = who
  UNION ALL SELECT 'tokens', to_jsonb(t) FROM public.tokens t WHERE t.account_id = who
  UNION ALL SELECT 'uploads', to_jsonb(u) FROM public.upload_sets u WHERE u.account_id = who
  UNION ALL SELECT 'sequences', to_jsonb(s) - 'bbox' - 'geom' || jsonb_build_object('geom', ST_AsGeoJSON(s.geom)::jsonb)
    FROM public.sequences s WHERE s.account_id = who
  UNION ALL SELECT 'pictures', to_jsonb(p) - 'geom' || jsonb_build_object('geom', ST_AsGeoJSON(p.geom)::jsonb)
    FROM public.pictures p WHERE p.account_id = who
  UNION ALL SELECT 'files', to_jsonb(f) FROM public.files f JOIN public.upload_sets u ON u.id = f.upload_set_id WHERE u.account_id = who
  UNION ALL SELECT 'picture_edits', to_jsonb(c) FROM public.pictures_changes c WHERE c.account_id = who
  UNION ALL SELECT 'sequence_edits', to_jsonb(c) FROM public.sequences_changes c WHERE c.account_id = who
  UNION ALL SELECT 'picture_tags', to_jsonb(c) FROM public.pictures_semantics_history c WHERE c.account_id = who
  UNION ALL SELECT 'sequence_tags', to_jsonb(c) FROM public.sequences_semantics_history c WHERE c.account_id = who
  UNION ALL SELECT 'excluded_areas', to_jsonb(e) - 'geom' || jsonb_build_object('geom', ST_AsGeoJSON(e.geom)::jsonb)
    FROM public.excluded_areas e WHERE e.account_id = who
  UNION ALL SELECT 'reports', to_jsonb(r) FROM public.reports r WHERE r.reporter_account_id = who
$$;
