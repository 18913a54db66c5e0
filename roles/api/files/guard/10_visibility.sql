-- Who may see what. Upstream asks three functions, one per kind of object; these replace them:
--   - nobody without an account that exists and is not blocked sees anything, whatever an object's visibility says:
--     a cookie is checked by its signature only, and outlives the account;
--   - a picture that is not ready (it waits to be blurred, or could not be) is its owner's: upstream answers with its place,
--     EXIF and file name to whoever names it;
--   - administrators see everything, so that they can look at what was reported (upstream shows them the metadata of
--     such a picture and refuses the picture itself).

-- First, what stands there now. A migration may have put a new version in the place of ours.
DO $$
DECLARE
  -- md5 of the function bodies of geovisio 2.15.1, which the replacements below were written against.
  reviewed constant jsonb := '{
    "public.is_sequence_visible_by_user(public.sequences,uuid)": "3c46ec690517e738d710637d122757ba",
    "public.is_picture_visible_by_user(public.pictures,uuid)": "839ee0448fd822e000a89b205d4e32e4",
    "public.is_upload_set_visible_by_user(public.upload_sets,uuid)": "3ac03b51d1bfdfc5e96607c0028252b3"}';
  signature text;
  source text;
BEGIN
  FOR signature IN SELECT jsonb_object_keys(reviewed) LOOP
    IF to_regprocedure(signature) IS NULL THEN
      RAISE EXCEPTION 'upstream has no function % any more: the guard must be adapted to this release', signature;
    END IF;
    SELECT p.prosrc INTO source FROM pg_proc p WHERE p.oid = to_regprocedure(signature);
    CONTINUE WHEN EXISTS (SELECT FROM priv.replaced_functions r WHERE r.identity = signature AND r.guard_checksum = md5(source));
    INSERT INTO priv.replaced_functions AS r (identity, upstream_checksum, upstream_source, reviewed)
    VALUES (signature, md5(source), source, md5(source) = reviewed ->> signature)
    ON CONFLICT (identity) DO UPDATE
      SET upstream_checksum = excluded.upstream_checksum, upstream_source = excluded.upstream_source,
          reviewed = excluded.reviewed, found_at = now();
    IF md5(source) IS DISTINCT FROM reviewed ->> signature THEN
      RAISE WARNING 'upstream changed %: compare it with the guard before relying on this release', signature;
    END IF;
  END LOOP;
END
$$;

-- These four have no SET clause, unlike all others: it would keep the planner from inlining them, and they are asked
-- for each row of a search. That is why every name in them is written in full.
CREATE OR REPLACE FUNCTION priv.may_see(visibility public.visibility_status, owner uuid, who uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT EXISTS (SELECT FROM public.accounts a WHERE a.id = who)
    AND NOT EXISTS (SELECT FROM priv.blocked_accounts b WHERE b.account_id = who)
    AND (visibility IS DISTINCT FROM 'owner-only'::public.visibility_status
         OR owner = who
         OR EXISTS (SELECT FROM public.accounts a WHERE a.id = who AND a.role = 'admin'::public.account_role))
$$;

CREATE OR REPLACE FUNCTION public.is_sequence_visible_by_user(seq public.sequences, account_id uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE COST 5
AS $$ SELECT priv.may_see(seq.visibility, seq.account_id, $2) $$;

CREATE OR REPLACE FUNCTION public.is_picture_visible_by_user(pic public.pictures, account_id uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE COST 5
AS $$
  SELECT priv.may_see(CASE WHEN pic.status = 'ready'::public.picture_status THEN pic.visibility
                      ELSE 'owner-only'::public.visibility_status END, pic.account_id, $2)
$$;

CREATE OR REPLACE FUNCTION public.is_upload_set_visible_by_user(us public.upload_sets, account_id uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE COST 5
AS $$ SELECT priv.may_see(us.visibility, us.account_id, $2) $$;
