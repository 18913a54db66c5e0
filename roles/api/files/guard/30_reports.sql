-- A reported picture or sequence is hidden at once, for each of the eight kinds of report (upstream: four), until its
-- owner or an administrator has closed the last open report; then the visibility of before returns.

-- How many reports an ordinary account may make in an hour: nobody can hide a whole instance.
CREATE OR REPLACE FUNCTION priv.reports_per_hour() RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$ SELECT 30 $$;

CREATE OR REPLACE FUNCTION priv.report_hides() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  before public.visibility_status;
  visible boolean;
BEGIN
  IF priv.is_operator() THEN
    RETURN NEW;
  END IF;
  IF NEW.reporter_account_id IS NULL THEN
    RAISE EXCEPTION 'Only signed-in people can report. Please sign in and send the report again.'
      USING ERRCODE = 'PV401';
  END IF;
  IF NOT priv.is_admin(NEW.reporter_account_id) AND priv.reports_per_hour() <= (
      SELECT count(*) FROM public.reports r
      WHERE r.reporter_account_id = NEW.reporter_account_id AND r.ts_opened > now() - interval '1 hour') THEN
    RAISE EXCEPTION 'You have made % reports within an hour. Please wait, or write to the administrators.', priv.reports_per_hour()
      USING ERRCODE = 'PV429';
  END IF;

  IF NEW.picture_id IS NOT NULL THEN
    SELECT p.visibility,
           priv.may_see(p.visibility, p.account_id, NEW.reporter_account_id)
           AND NOT EXISTS (SELECT FROM public.sequences_pictures sp JOIN public.sequences s ON s.id = sp.seq_id
                           WHERE sp.pic_id = p.id AND NOT priv.may_see(s.visibility, s.account_id, NEW.reporter_account_id))
      INTO before, visible FROM public.pictures p WHERE p.id = NEW.picture_id FOR UPDATE OF p;
  ELSE
    SELECT s.visibility, priv.may_see(s.visibility, s.account_id, NEW.reporter_account_id)
      INTO before, visible FROM public.sequences s WHERE s.id = NEW.sequence_id FOR UPDATE OF s;
  END IF;
  IF visible IS NOT TRUE THEN
    -- The same words whether it is not there or hidden: a report must not tell which.
    RAISE EXCEPTION 'There is no such picture or sequence.' USING ERRCODE = 'PV404';
  END IF;

  PERFORM set_config('priv.report', 'on', true);
  IF NEW.picture_id IS NOT NULL THEN
    INSERT INTO priv.hidden_by_report (picture_id, previous) VALUES (NEW.picture_id, before) ON CONFLICT DO NOTHING;
    -- last_account_to_edit stays as it is: upstream sets it to the reporter, and deletes the picture with that account.
    UPDATE public.pictures SET visibility = 'owner-only', updated_at = now() WHERE id = NEW.picture_id AND visibility <> 'owner-only';
  ELSE
    INSERT INTO priv.hidden_by_report (sequence_id, previous) VALUES (NEW.sequence_id, before) ON CONFLICT DO NOTHING;
    UPDATE public.sequences SET visibility = 'owner-only' WHERE id = NEW.sequence_id AND visibility <> 'owner-only';
  END IF;
  PERFORM set_config('priv.report', 'off', true);

  -- Upstream's own trigger comes next, and leaves alone what is not `open`.
  NEW.status := 'open_autofix';
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_report_hides', 'BEFORE INSERT', 'public.reports', 'report_hides');

CREATE OR REPLACE FUNCTION priv.report_restores() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  owner uuid;
  hidden priv.hidden_by_report;
BEGIN
  SELECT account_id INTO owner FROM public.pictures WHERE id = NEW.picture_id;
  IF NEW.picture_id IS NULL THEN
    SELECT account_id INTO owner FROM public.sequences WHERE id = NEW.sequence_id;
  END IF;
  -- Who reported may withdraw the report, but what it hid is for the owner or an administrator to show again.
  IF NEW.resolver_account_id IS NULL OR priv.is_blocked(NEW.resolver_account_id)
      OR NOT (NEW.resolver_account_id = owner OR priv.is_admin(NEW.resolver_account_id)) THEN
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT FROM public.reports r
             WHERE r.id <> NEW.id AND r.status IN ('open', 'open_autofix', 'waiting')
               AND CASE WHEN NEW.picture_id IS NOT NULL THEN r.picture_id = NEW.picture_id
                   ELSE r.picture_id IS NULL AND r.sequence_id = NEW.sequence_id END) THEN
    RETURN NULL;
  END IF;

  PERFORM set_config('priv.report', 'on', true);
  IF NEW.picture_id IS NOT NULL THEN
    DELETE FROM priv.hidden_by_report WHERE picture_id = NEW.picture_id RETURNING * INTO hidden;
    IF FOUND THEN
      UPDATE public.pictures SET visibility = hidden.previous, updated_at = now()
        WHERE id = NEW.picture_id AND visibility = 'owner-only';
    END IF;
  ELSE
    DELETE FROM priv.hidden_by_report WHERE sequence_id = NEW.sequence_id RETURNING * INTO hidden;
    IF FOUND THEN
      UPDATE public.sequences SET visibility = hidden.previous WHERE id = NEW.sequence_id AND visibility = 'owner-only';
    END IF;
  END IF;
  PERFORM set_config('priv.report', 'off', true);
  RETURN NULL;
END
$$;
SELECT priv.put_trigger('a_priv_report_restores', 'AFTER UPDATE OF status', 'public.reports', 'report_restores',
  $$NEW.status IN ('closed_solved', 'closed_ignored') AND OLD.status NOT IN ('closed_solved', 'closed_ignored')$$);

-- An owner who sets the visibility by hand has decided: nothing old comes back over that later.
CREATE OR REPLACE FUNCTION priv.owner_decided() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF current_setting('priv.report', true) IS DISTINCT FROM 'on' THEN
    DELETE FROM priv.hidden_by_report WHERE picture_id = NEW.id OR sequence_id = NEW.id;
  END IF;
  RETURN NULL;
END
$$;
SELECT priv.put_trigger('a_priv_owner_decided', 'AFTER UPDATE OF visibility', 'public.pictures', 'owner_decided',
  'OLD.visibility IS DISTINCT FROM NEW.visibility');
SELECT priv.put_trigger('a_priv_owner_decided', 'AFTER UPDATE OF visibility', 'public.sequences', 'owner_decided',
  'OLD.visibility IS DISTINCT FROM NEW.visibility');
