-- Nothing becomes public: `anyone`, or nothing said (which upstream reads as `anyone`), turns into `logged-only`.
-- Coerced rather than refused, because upstream itself writes `anyone` on each picture as the column's default.
CREATE OR REPLACE FUNCTION priv.never_public() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF NEW.visibility IS NULL OR NEW.visibility = 'anyone' THEN
    NEW.visibility := 'logged-only';
  END IF;
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_never_public', 'BEFORE INSERT OR UPDATE OF visibility', 'public.sequences', 'never_public');
SELECT priv.put_trigger('a_priv_never_public', 'BEFORE INSERT OR UPDATE OF visibility', 'public.upload_sets', 'never_public');
SELECT priv.put_trigger('a_priv_never_public', 'BEFORE INSERT OR UPDATE OF visibility', 'public.pictures', 'never_public');

-- The same for the defaults that new uploads take theirs from. An account without one follows the instance's.
CREATE OR REPLACE FUNCTION priv.never_public_by_default() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF NEW.default_visibility = 'anyone' OR (TG_TABLE_NAME = 'configurations' AND NEW.default_visibility IS NULL) THEN
    NEW.default_visibility := 'logged-only';
  END IF;
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_never_public', 'BEFORE INSERT OR UPDATE', 'public.configurations', 'never_public_by_default');
SELECT priv.put_trigger('a_priv_never_public', 'BEFORE INSERT OR UPDATE OF default_visibility', 'public.accounts', 'never_public_by_default');

-- What was there before the guard (an instance that moves in here, a restored backup).
UPDATE public.configurations SET default_visibility = default_visibility WHERE default_visibility IS NULL OR default_visibility = 'anyone';
UPDATE public.accounts SET default_visibility = 'logged-only' WHERE default_visibility = 'anyone';
UPDATE public.upload_sets SET visibility = 'logged-only' WHERE visibility IS NULL OR visibility = 'anyone';
UPDATE public.sequences SET visibility = 'logged-only' WHERE visibility IS NULL OR visibility = 'anyone';
UPDATE public.pictures SET visibility = 'logged-only' WHERE visibility IS NULL OR visibility = 'anyone';
