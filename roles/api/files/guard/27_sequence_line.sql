-- The line and the box of a sequence leave out its hidden pictures. Upstream draws both through all of them, and everybody
-- who sees the sequence sees where somebody hid a picture, for example in front of his door.
CREATE OR REPLACE FUNCTION priv.sequence_line(of_sequence uuid) RETURNS geometry
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT ST_Multi(ST_LineMerge(ST_Collect(segment)))
  FROM (
    SELECT ST_MakeLine(geom, lead(geom) OVER by_rank) AS segment, shown AND lead(shown) OVER by_rank AS drawn
    FROM (
      SELECT p.geom, sp.rank, p.visibility <> 'owner-only' AS shown
      FROM public.sequences_pictures sp JOIN public.pictures p ON p.id = sp.pic_id WHERE sp.seq_id = of_sequence) picture
    WINDOW by_rank AS (ORDER BY rank)) step
  -- In metres, as upstream: farther apart, two pictures are not joined.
  WHERE drawn AND ST_Length(segment::geography) > 0 AND ST_Length(segment::geography) <= 75
$$;

CREATE OR REPLACE FUNCTION priv.sequence_box(of_sequence uuid) RETURNS box2d
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT ST_Extent(p.geom) FROM public.sequences_pictures sp JOIN public.pictures p ON p.id = sp.pic_id
  WHERE sp.seq_id = of_sequence AND p.visibility <> 'owner-only'
$$;

CREATE OR REPLACE FUNCTION priv.hides_pictures(of_sequence uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = ''
AS $$
  SELECT EXISTS (SELECT FROM public.sequences_pictures sp JOIN public.pictures p ON p.id = sp.pic_id
                 WHERE sp.seq_id = of_sequence AND p.visibility = 'owner-only')
$$;

-- Whatever upstream has computed: what is stored is ours.
CREATE OR REPLACE FUNCTION priv.draw_what_is_shown() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF priv.hides_pictures(NEW.id) THEN
    NEW.geom := priv.sequence_line(NEW.id);
    NEW.bbox := priv.sequence_box(NEW.id);
  END IF;
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_draw_what_is_shown', 'BEFORE UPDATE OF geom, bbox', 'public.sequences', 'draw_what_is_shown');

-- And at once, when a picture is hidden or shown again, by hand or by a report.
CREATE OR REPLACE FUNCTION priv.draw_anew() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  UPDATE public.sequences SET geom = public.compute_sequence_geom(id), bbox = public.compute_sequence_bbox(id)
  WHERE id IN (SELECT sp.seq_id FROM public.sequences_pictures sp WHERE sp.pic_id = NEW.id);
  RETURN NULL;
END
$$;
SELECT priv.put_trigger('a_priv_draw_anew', 'AFTER UPDATE OF visibility', 'public.pictures', 'draw_anew',
  $$OLD.visibility IS DISTINCT FROM NEW.visibility AND 'owner-only' IN (OLD.visibility, NEW.visibility)$$);

-- What was there before the guard.
UPDATE public.sequences SET bbox = bbox
WHERE priv.hides_pictures(id)
  AND (geom IS DISTINCT FROM priv.sequence_line(id) OR bbox::text IS DISTINCT FROM priv.sequence_box(id)::text);
