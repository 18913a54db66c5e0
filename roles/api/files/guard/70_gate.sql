-- What the proxy asks about a session: GET /api/upload_sets/<id> answers 200 only to who may see that upload set.
--   ...0001, logged-only: an account that is signed in and not blocked
--   ...0002, owner-only, of the default account: an administrator
INSERT INTO public.upload_sets (id, account_id, title, visibility, completed, dispatched)
SELECT sentinel.id::uuid, a.id, sentinel.title, sentinel.visibility::public.visibility_status, true, true
FROM public.accounts a,
  (VALUES ('00000000-0000-4000-8000-000000000001', 'gate: signed in', 'logged-only'),
          ('00000000-0000-4000-8000-000000000002', 'gate: administrator', 'owner-only')) AS sentinel (id, title, visibility)
WHERE a.is_default
ON CONFLICT (id) DO NOTHING;

-- Without them nobody gets in; with another visibility they would let in the wrong people.
CREATE OR REPLACE FUNCTION priv.keep_sentinels() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF priv.is_operator() THEN
    RETURN coalesce(NEW, OLD);
  END IF;
  RAISE EXCEPTION 'The gate needs this upload set as it is.' USING ERRCODE = 'PV403';
END
$$;
SELECT priv.put_trigger('a_priv_keep_sentinels', 'BEFORE UPDATE OR DELETE', 'public.upload_sets', 'keep_sentinels',
  $$OLD.id IN ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002')$$);
SELECT priv.put_trigger('a_priv_no_pictures_in_sentinels', 'BEFORE INSERT OR UPDATE OF upload_set_id', 'public.pictures', 'keep_sentinels',
  $$NEW.upload_set_id IN ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002')$$);
