-- What the operator's own detection models find in published pictures (docs/detection.md). The process `run.py detect`
-- takes pictures from here, one at a time, has a detector look at them, and stores what comes back as upstream's
-- annotations with tags, in the form that upstream gives to what its own blurring finds:
--
--   detected|NAME = LABEL
--   detection_confidence[detected|NAME=LABEL] = 0.93
--   detection_model[detected|NAME=LABEL] = NAME/VERSION
--
-- Keys that name a detector are the detector's: they come and go with it. All other tags of an annotation are somebody
-- else's, and stay. Nothing waits for any of this, and annotations are as hidden as their picture.
CREATE TABLE IF NOT EXISTS priv.detectors (
  name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9-]{0,30}$'),
  version text NOT NULL,
  -- Its tags were taken away (scripts/detections.py remove): it does nothing until it is run again or has another version.
  resting boolean NOT NULL DEFAULT false,
  since timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE priv.detectors IS 'The detectors that the inventory declares';

CREATE TABLE IF NOT EXISTS priv.detections (
  picture_id uuid REFERENCES public.pictures (id) ON DELETE CASCADE,
  detector text REFERENCES priv.detectors (name) ON DELETE CASCADE,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
  -- New pictures go first: this one was there before the detector, or its version, was.
  again boolean NOT NULL DEFAULT false,
  tries integer NOT NULL DEFAULT 0,
  due timestamptz NOT NULL DEFAULT now(),
  -- Of the last time that it worked.
  version text,
  found integer,
  finished timestamptz,
  reason text,
  PRIMARY KEY (picture_id, detector)
);
CREATE INDEX IF NOT EXISTS detections_due ON priv.detections (again, due) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS detections_state ON priv.detections (detector, state);
CREATE INDEX IF NOT EXISTS blurring_proofs_recorded ON priv.blurring_proofs (recorded);
COMMENT ON TABLE priv.detections IS 'How far each detector is with each picture';

-- Takes a detector's tags off one picture, or off all, and with them the annotations that have no other tags.
CREATE OR REPLACE FUNCTION priv.untag(named text, one uuid DEFAULT NULL, OUT pictures bigint, OUT tags bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  touched uuid[];
BEGIN
  WITH gone AS (
    DELETE FROM public.annotations_semantics s USING public.annotations a
    WHERE a.id = s.annotation_id AND (one IS NULL OR a.picture_id = one)
      AND (s.key = 'detected|' || named OR s.key LIKE 'detection\_confidence[detected|' || named || '=%'
           OR s.key LIKE 'detection\_model[detected|' || named || '=%')
    RETURNING a.id, a.picture_id, a.shape, s.key, s.value),
  noted AS (
    INSERT INTO public.pictures_semantics_history (picture_id, account_id, updates)
    SELECT g.picture_id, (SELECT d.id FROM public.accounts d WHERE d.is_default), jsonb_agg(jsonb_build_object(
      'action', 'delete', 'key', g.key, 'value', g.value, 'annotation_shape', g.shape))
    FROM gone g GROUP BY g.picture_id),
  updated AS (UPDATE public.pictures p SET updated_at = now() WHERE p.id IN (SELECT g.picture_id FROM gone g))
  SELECT count(DISTINCT g.picture_id), count(*), array_agg(DISTINCT g.id) INTO pictures, tags, touched FROM gone g;
  DELETE FROM public.annotations a
  WHERE a.id = ANY (touched) AND NOT EXISTS (SELECT FROM public.annotations_semantics s WHERE s.annotation_id = a.id);
END
$$;

-- `wanted`: [{"name", "version"}]. What is not among them goes, with its tags: one row for each. A changed version has all
-- pictures looked at again; what the version before found stays until the new one has looked.
CREATE OR REPLACE FUNCTION priv.declare_detectors(wanted jsonb) RETURNS TABLE (gone text, pictures bigint, tags bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  FOR gone IN
    SELECT d.name FROM priv.detectors d WHERE d.name NOT IN (SELECT w ->> 'name' FROM jsonb_array_elements(wanted) w) ORDER BY 1
  LOOP
    SELECT u.pictures, u.tags INTO pictures, tags FROM priv.rest_detector(gone) u;
    DELETE FROM priv.detectors d WHERE d.name = gone;
    RETURN NEXT;
  END LOOP;
  WITH declared AS (
    INSERT INTO priv.detectors AS d (name, version) SELECT w ->> 'name', w ->> 'version' FROM jsonb_array_elements(wanted) w
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, resting = false, since = now() WHERE d.version <> excluded.version
    RETURNING d.name)
  UPDATE priv.detections e SET state = 'waiting', again = true, tries = 0, due = now(), reason = NULL
  WHERE e.detector IN (SELECT d.name FROM declared d);
END
$$;

-- Queues published pictures that a detector has not looked at yet, or that were blurred again since: all of them, or those
-- of the last minutes only, which is what the process asks for all the time.
CREATE OR REPLACE FUNCTION priv.queue_detections(everything boolean) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  queued bigint;
  recent uuid[];
BEGIN
  -- Asked for every two seconds: an array leads the planner to the pictures by their index.
  IF NOT everything THEN
    recent := ARRAY(SELECT b.picture_id FROM priv.blurring_proofs b WHERE b.recorded > now() - interval '15 minutes');
  END IF;
  INSERT INTO priv.detections AS e (picture_id, detector, again)
  SELECT p.id, d.name, p.inserted_at < d.since
  FROM priv.detectors d CROSS JOIN public.pictures p
  WHERE NOT d.resting AND p.preparing_status = 'prepared' AND p.status <> 'waiting-for-delete'
    AND (everything OR p.id = ANY (recent))
    AND NOT EXISTS (
      SELECT FROM priv.detections k LEFT JOIN priv.blurring_proofs b ON b.picture_id = k.picture_id
      WHERE k.picture_id = p.id AND k.detector = d.name AND (k.state <> 'done' OR b.recorded IS NULL OR b.recorded <= k.finished))
  ON CONFLICT (picture_id, detector) DO UPDATE SET state = 'waiting', again = true, tries = 0, due = now(), reason = NULL
  WHERE e.state = 'done';
  GET DIAGNOSTICS queued = ROW_COUNT;
  RETURN queued;
END
$$;

-- The next picture for one of the detectors named. It is away for ten minutes: if nothing was heard of it by then (the
-- process was killed), it comes back, with one try more.
CREATE OR REPLACE FUNCTION priv.next_detection(among text[]) RETURNS TABLE (picture uuid, detector text, version text, tries integer)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  UPDATE priv.detections e SET tries = e.tries + 1, due = now() + interval '10 minutes'
  FROM priv.detectors d,
    (SELECT n.picture_id, n.detector FROM priv.detections n JOIN public.pictures p ON p.id = n.picture_id
     WHERE n.state = 'waiting' AND n.due <= now() AND n.detector = ANY (among)
       AND p.preparing_status = 'prepared' AND p.status <> 'waiting-for-delete'
     ORDER BY n.again, n.due LIMIT 1 FOR UPDATE OF n SKIP LOCKED) n
  WHERE e.picture_id = n.picture_id AND e.detector = n.detector AND d.name = n.detector AND NOT d.resting
  RETURNING e.picture_id, e.detector, d.version, e.tries
$$;

-- Whether pictures wait to be blurred: people wait for those, and nobody for detections.
CREATE OR REPLACE FUNCTION priv.blurring_is_busy() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT EXISTS (SELECT FROM priv.turns t WHERE t.blurs AND NOT t.again) $$;

-- `finds`: [{"label", "confidence", "box": [left, top, right, bottom]}], whole pixels of the picture from its top left. Takes
-- the place of what the detector found in the picture before. False: the detector was removed or replaced meanwhile.
CREATE OR REPLACE FUNCTION priv.store_detections(of_picture uuid, named text, in_version text, finds jsonb) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  one record;
  outline jsonb;
  tagged uuid;
  updates jsonb := '[]';
BEGIN
  -- Whoever removes it waits until this is done, and then removes this too.
  PERFORM FROM priv.detectors d WHERE d.name = named AND d.version = in_version AND NOT d.resting FOR SHARE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM priv.untag(named, of_picture);
  FOR one IN
    SELECT DISTINCT ON (f.label, f.box) f.label, f.confidence, f.box[1] AS x1, f.box[2] AS y1, f.box[3] AS x2, f.box[4] AS y2,
      format('detected|%s', named) AS key, format('[detected|%s=%s]', named, f.label) AS qualified
    FROM jsonb_to_recordset(finds) AS f (label text, confidence numeric, box integer[]) ORDER BY f.label, f.box, f.confidence DESC
  LOOP
    -- As upstream draws a box (geovisio 2.15.1, utils/pic_shape.py).
    outline := jsonb_build_object('type', 'Polygon', 'coordinates', jsonb_build_array(jsonb_build_array(
      jsonb_build_array(one.x1, one.y1), jsonb_build_array(one.x2, one.y1), jsonb_build_array(one.x2, one.y2),
      jsonb_build_array(one.x1, one.y2), jsonb_build_array(one.x1, one.y1))));
    SELECT a.id INTO tagged FROM public.annotations a WHERE a.picture_id = of_picture AND a.shape = outline LIMIT 1;
    IF NOT FOUND THEN
      INSERT INTO public.annotations (picture_id, shape) VALUES (of_picture, outline) RETURNING id INTO tagged;
    END IF;
    WITH added AS (
      INSERT INTO public.annotations_semantics (annotation_id, key, value)
      VALUES (tagged, one.key, one.label),
             (tagged, 'detection_confidence' || one.qualified, to_char(one.confidence, 'FM0.000')),
             (tagged, 'detection_model' || one.qualified, named || '/' || in_version)
      RETURNING key, value)
    SELECT updates || jsonb_agg(jsonb_build_object(
      'action', 'add', 'key', a.key, 'value', a.value, 'annotation_shape', outline)) INTO updates FROM added a;
  END LOOP;
  IF updates <> '[]' THEN
    INSERT INTO public.pictures_semantics_history (picture_id, account_id, updates)
    VALUES (of_picture, (SELECT d.id FROM public.accounts d WHERE d.is_default), updates);
    UPDATE public.pictures SET updated_at = now() WHERE id = of_picture;
  END IF;
  UPDATE priv.detections SET state = 'done', tries = 0, reason = NULL, finished = now(), version = in_version,
    found = jsonb_array_length(finds)
  WHERE picture_id = of_picture AND detector = named;
  RETURN true;
END
$$;

-- For scripts/detections.py: how far each detector is.
CREATE OR REPLACE FUNCTION priv.detector_state()
RETURNS TABLE (name text, version text, resting boolean, pictures bigint, done bigint, waiting bigint, failed bigint, found bigint, last text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT d.name, d.version, d.resting, (SELECT count(*) FROM public.pictures p WHERE p.preparing_status = 'prepared'),
    count(*) FILTER (WHERE e.state = 'done'), count(*) FILTER (WHERE e.state = 'waiting'), count(*) FILTER (WHERE e.state = 'failed'),
    coalesce(sum(e.found), 0), coalesce(max(e.finished)::text, '')
  FROM priv.detectors d LEFT JOIN priv.detections e ON e.detector = d.name GROUP BY d.name ORDER BY d.name
$$;

-- Pictures that a detector failed at; `next` is empty for those that were given up.
CREATE OR REPLACE FUNCTION priv.failed_detections() RETURNS TABLE (picture uuid, detector text, tries integer, next text, reason text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT e.picture_id, e.detector, e.tries, CASE e.state WHEN 'waiting' THEN e.due::text ELSE '' END, e.reason
  FROM priv.detections e WHERE e.reason IS NOT NULL AND e.state <> 'done' ORDER BY e.detector, e.due, e.picture_id
$$;

-- Has pictures looked at that were not yet, or that failed; `again`: all of them. Returns how many wait.
CREATE OR REPLACE FUNCTION priv.run_detectors(named text, again boolean) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  UPDATE priv.detectors d SET resting = false WHERE d.resting AND d.name = named;
  PERFORM priv.queue_detections(true);
  UPDATE priv.detections e SET state = 'waiting', again = true, tries = 0, due = now(), reason = NULL
  WHERE (named IS NULL OR e.detector = named) AND (run_detectors.again OR e.state = 'failed' OR (e.state = 'waiting' AND e.reason IS NOT NULL));
  RETURN (SELECT count(*) FROM priv.detections e WHERE e.state = 'waiting' AND (named IS NULL OR e.detector = named));
END
$$;

-- Takes a detector's tags away, and lets it rest.
CREATE OR REPLACE FUNCTION priv.rest_detector(named text, OUT pictures bigint, OUT tags bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  UPDATE priv.detectors d SET resting = true WHERE d.name = named;
  DELETE FROM priv.detections e WHERE e.detector = named;
  SELECT u.pictures, u.tags INTO pictures, tags FROM priv.untag(named) u;
END
$$;
