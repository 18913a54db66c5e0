-- No picture gets around blurring. A client that says isBlurred=true, or asks to prepare a picture again with
-- skip_blurring, only sets an argument of the job; the job goes without it.
CREATE OR REPLACE FUNCTION priv.always_blur() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF NOT priv.is_operator() THEN
    NEW.args := nullif(NEW.args - 'skip_blurring', '{}'::jsonb);
  END IF;
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_always_blur', 'BEFORE INSERT OR UPDATE OF args', 'public.job_queue', 'always_blur',
  $$NEW.args ? 'skip_blurring'$$);

-- Transfers fetch pictures from an address that a client names, and publish them as they come.
CREATE OR REPLACE FUNCTION priv.no_transfers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'This instance takes no pictures from other instances.' USING ERRCODE = 'PV403';
END
$$;
SELECT priv.put_trigger('a_priv_no_transfers', 'BEFORE INSERT OR UPDATE OF task', 'public.job_queue', 'no_transfers',
  $$NEW.task = 'transfer'$$);
