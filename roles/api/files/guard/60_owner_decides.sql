-- The visibility of a picture or sequence is for its owner or an administrator to change. Upstream forgets to ask that
-- for the visibility of sequences wherever collaborative editing is allowed. The API names who edits in
-- last_account_to_edit, in the same statement; hence a trigger that fires only where a statement sets that column.
CREATE OR REPLACE FUNCTION priv.owner_decides() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF NEW.last_account_to_edit IS NULL OR priv.is_operator() THEN
    RETURN NEW;
  END IF;
  IF priv.is_blocked(NEW.last_account_to_edit) THEN
    RAISE EXCEPTION 'This account is blocked.' USING ERRCODE = 'PV403';
  END IF;
  IF OLD.visibility IS DISTINCT FROM NEW.visibility
      AND NEW.last_account_to_edit <> OLD.account_id AND NOT priv.is_admin(NEW.last_account_to_edit) THEN
    RAISE EXCEPTION 'Only the owner or an administrator can change the visibility.' USING ERRCODE = 'PV403';
  END IF;
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_owner_decides', 'BEFORE UPDATE OF last_account_to_edit', 'public.sequences', 'owner_decides');
SELECT priv.put_trigger('a_priv_owner_decides', 'BEFORE UPDATE OF last_account_to_edit', 'public.pictures', 'owner_decides');

-- Edits of what one cannot see: upstream lets every account tag and annotate hidden things by their id. Each such edit
-- is written into a history, with its author.
CREATE OR REPLACE FUNCTION priv.edits_what_one_sees() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  visible boolean;
BEGIN
  IF NEW.account_id IS NULL THEN
    RETURN NEW;
  END IF;
  IF TG_TABLE_NAME = 'pictures_semantics_history' THEN
    SELECT priv.may_see(p.visibility, p.account_id, NEW.account_id) INTO visible FROM public.pictures p WHERE p.id = NEW.picture_id;
  ELSE
    SELECT priv.may_see(s.visibility, s.account_id, NEW.account_id) INTO visible FROM public.sequences s WHERE s.id = NEW.sequence_id;
  END IF;
  IF visible IS NOT TRUE THEN
    RAISE EXCEPTION 'There is no such picture or sequence.' USING ERRCODE = 'PV404';
  END IF;
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_edits_what_one_sees', 'BEFORE INSERT', 'public.pictures_semantics_history', 'edits_what_one_sees');
SELECT priv.put_trigger('a_priv_edits_what_one_sees', 'BEFORE INSERT', 'public.sequences_semantics_history', 'edits_what_one_sees');
