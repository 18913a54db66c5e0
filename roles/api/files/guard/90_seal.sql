-- What is in force now, and what is to be in force.
CREATE OR REPLACE FUNCTION priv.parts() RETURNS TABLE (kind text, identity text, checksum text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT 'function', p.oid::regprocedure::text, md5(p.prosrc || p.prosecdef::text || p.provolatile::text || coalesce(p.proconfig::text, ''))
  FROM pg_catalog.pg_proc p
  WHERE p.pronamespace = 'priv'::regnamespace
     OR p.oid IN (SELECT to_regprocedure(r.identity) FROM priv.replaced_functions r)
  UNION ALL
  -- With tgenabled, so that a trigger that somebody switched off counts as changed.
  SELECT 'trigger', format('%s on %s', t.tgname, t.tgrelid::regclass), md5(pg_get_triggerdef(t.oid) || t.tgenabled::text)
  FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
  WHERE p.pronamespace = 'priv'::regnamespace
  UNION ALL
  SELECT 'policy', format('%s on %s', y.polname, y.polrelid::regclass),
         md5(concat(pg_get_expr(y.polqual, y.polrelid), y.polcmd, y.polroles, c.relrowsecurity, c.relforcerowsecurity))
  FROM pg_catalog.pg_policy y JOIN pg_catalog.pg_class c ON c.oid = y.polrelid WHERE y.polname LIKE 'a\_priv\_%'
  UNION ALL
  SELECT 'sentinel', u.id::text, md5(concat(u.visibility, a.is_default))
  FROM public.upload_sets u JOIN public.accounts a ON a.id = u.account_id
  WHERE u.id IN ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002')
$$;

-- One line per fault; none means that the guard is whole. The API and its workers refuse to start otherwise.
CREATE OR REPLACE FUNCTION priv.guard_findings() RETURNS TABLE (finding text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT format('%s %s is %s', s.kind, s.identity, CASE WHEN p.checksum IS NULL THEN 'missing' ELSE 'changed' END)
  FROM priv.seal s LEFT JOIN priv.parts() p USING (kind, identity)
  WHERE p.checksum IS DISTINCT FROM s.checksum
  UNION ALL
  SELECT format('%s %s is not part of the guard', p.kind, p.identity)
  FROM priv.parts() p LEFT JOIN priv.seal s USING (kind, identity) WHERE s.identity IS NULL
  UNION ALL
  SELECT 'the guard was never sealed' WHERE NOT EXISTS (SELECT FROM priv.seal)
  UNION ALL
  SELECT 'something is visible to anyone' WHERE EXISTS (SELECT FROM public.pictures WHERE visibility IS NULL OR visibility = 'anyone')
     OR EXISTS (SELECT FROM public.sequences WHERE visibility IS NULL OR visibility = 'anyone')
     OR EXISTS (SELECT FROM public.upload_sets WHERE visibility IS NULL OR visibility = 'anyone')
$$;

-- Functions of upstream that the authors of this guard have not seen. No reason to stop (ours are in their place), but
-- one to look: upstream may have had a reason that ours do not know.
CREATE OR REPLACE FUNCTION priv.guard_warnings() RETURNS TABLE (warning text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT format('upstream''s %s (checksum %s) is not the one that the guard was written against', identity, upstream_checksum)
  FROM priv.replaced_functions WHERE NOT reviewed
$$;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA priv FROM PUBLIC;
GRANT EXECUTE ON FUNCTION priv.guard_findings(), priv.guard_warnings(), priv.token_works(uuid), priv.is_operator(),
  priv.account_usage(uuid), priv.account_holdings(uuid), priv.delete_account(uuid, text, uuid), priv.export_account(uuid),
  priv.queue_state(), priv.failed_pictures(), priv.retry_pictures(uuid[]),
  priv.detector_state(), priv.failed_detections(), priv.run_detectors(text, boolean), priv.rest_detector(text)
  TO panoramax_ops;

UPDATE priv.replaced_functions r SET guard_checksum = md5(p.prosrc) FROM pg_proc p WHERE p.oid = to_regprocedure(r.identity);
DELETE FROM priv.seal;
INSERT INTO priv.seal SELECT * FROM priv.parts();
