-- The map of low zooms counts what everybody signed in may see, and no more: upstream counts hidden pictures too, so that
-- a cell tells where there are some. A cell without any other is left out. Upstream's worker computes cells anew,
-- by default at night.
CREATE OR REPLACE FUNCTION priv.count_only_visible() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  hidden bigint;
  hidden_360 bigint;
BEGIN
  SELECT count(*), count(*) FILTER (WHERE p.metadata ->> 'type' = 'equirectangular') INTO hidden, hidden_360
  FROM public.pictures p
  JOIN public.sequences_pictures sp ON sp.pic_id = p.id
  JOIN public.sequences s ON s.id = sp.seq_id
  LEFT JOIN public.upload_sets u ON u.id = s.upload_set_id
  -- Cells are a tenth of a degree wide.
  WHERE p.geom && ST_Expand(NEW.geom, 0.06) AND ST_Equals(public.pic_to_grid(p.geom), NEW.geom)
    AND (p.status <> 'ready' OR 'owner-only' IN (p.visibility, s.visibility, u.visibility));
  NEW.nb_non_public_pictures := greatest(NEW.nb_non_public_pictures - hidden, 0);
  NEW.nb_non_public_360_pictures := greatest(NEW.nb_non_public_360_pictures - hidden_360, 0);
  IF NEW.nb_pictures + NEW.nb_non_public_pictures = 0 THEN
    DELETE FROM public.pictures_aggregate_grid WHERE geom = NEW.geom;
    RETURN NULL;
  END IF;
  RETURN NEW;
END
$$;
-- Upstream inserts, and updates on conflict with what this trigger has made of the row.
SELECT priv.put_trigger('a_priv_count_only_visible', 'BEFORE INSERT', 'public.pictures_aggregate_grid', 'count_only_visible');
