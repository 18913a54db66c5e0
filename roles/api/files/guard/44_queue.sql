-- Whose turn it is. Upstream takes jobs in the order of their arrival: somebody who uploads three pictures waits until an
-- import of ten thousand is through. Here each job gets a place on a scale on which every account advances by one for
-- each picture, counted from where the queue is now (start-time fair queueing): accounts that wait take turns.
-- The launcher's workers take jobs in this order (launcher/jobs.py).
CREATE TABLE IF NOT EXISTS priv.turns (
  job_id uuid PRIMARY KEY REFERENCES public.job_queue (id) ON DELETE CASCADE,
  account_id uuid,
  turn double precision NOT NULL,
  queued timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Whether the job needs the blurring.
  blurs boolean NOT NULL,
  -- Whether it was put back, to be tried again.
  again boolean NOT NULL DEFAULT false
);
CREATE INDEX IF NOT EXISTS turns_turn ON priv.turns (turn, queued);
CREATE INDEX IF NOT EXISTS turns_fresh ON priv.turns (turn) WHERE NOT again;
CREATE INDEX IF NOT EXISTS turns_account ON priv.turns (account_id, turn) WHERE NOT again;
COMMENT ON TABLE priv.turns IS 'The place of each job in the queue, fair between accounts';

-- The following functions look up one row after the other by index, and say so to the planner: ten thousand jobs may come
-- in one transaction, and what it knows of the tables is of before.

-- Where the queue is now. What failed and waits to be tried again stands still, and does not count while there is other.
CREATE OR REPLACE FUNCTION priv.current_turn() RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_sort = off
AS $$
  SELECT coalesce((SELECT min(t.turn) FROM priv.turns t WHERE NOT t.again), (SELECT min(t.turn) FROM priv.turns t), 0)
$$;

-- Locks the job whose turn it is, and returns it; NULL if there is none. `blurring`: whether the blurring does its work.
CREATE OR REPLACE FUNCTION priv.next_job(blurring boolean) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_sort = off
AS $$
DECLARE
  candidate uuid;
BEGIN
  FOR candidate IN SELECT t.job_id FROM priv.turns t WHERE blurring OR NOT t.blurs ORDER BY t.turn, t.queued LOOP
    PERFORM FROM public.job_queue j
    WHERE j.id = candidate AND (j.to_do_after_ts IS NULL OR j.to_do_after_ts <= now()) FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
      RETURN candidate;
    END IF;
  END LOOP;
  RETURN NULL;
END
$$;

-- Behind what waits for its first try: pictures that fail must not hold up the others, nor wait for ever themselves.
CREATE OR REPLACE FUNCTION priv.queue_behind(job uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  UPDATE priv.turns SET again = true WHERE job_id = job;
  UPDATE priv.turns SET turn = greatest(turn, priv.current_turn()) + 1 WHERE job_id = job;
$$;

CREATE OR REPLACE FUNCTION priv.owner_of_job(job public.job_queue) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT coalesce(
    (SELECT p.account_id FROM public.pictures p WHERE p.id = job.picture_id),
    (SELECT u.account_id FROM public.upload_sets u WHERE u.id = job.upload_set_id),
    (SELECT s.account_id FROM public.sequences s WHERE s.id = job.sequence_id))
$$;

CREATE OR REPLACE FUNCTION priv.give_turn() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_sort = off
AS $$
DECLARE
  owner constant uuid := priv.owner_of_job(NEW);
  -- In pictures to blur: deleting one or reading its metadata again takes little, and what concerns whole uploads and
  -- sequences comes right after the pictures that it waits for.
  cost constant double precision := CASE NEW.task WHEN 'prepare' THEN 1 WHEN 'delete' THEN 0.02 WHEN 'read_metadata' THEN 0.02 ELSE 0 END;
  latest double precision;
BEGIN
  -- Two branches: IS NOT DISTINCT FROM would use no index.
  IF owner IS NULL THEN
    SELECT max(t.turn) INTO latest FROM priv.turns t WHERE t.account_id IS NULL AND NOT t.again;
  ELSE
    SELECT max(t.turn) INTO latest FROM priv.turns t WHERE t.account_id = owner AND NOT t.again;
  END IF;
  INSERT INTO priv.turns (job_id, account_id, turn, blurs)
  VALUES (NEW.id, owner, greatest(priv.current_turn(), latest + cost), NEW.task = 'prepare')
  ON CONFLICT (job_id) DO NOTHING;
  IF NEW.task = 'prepare' THEN
    -- Tried again, whoever asked for it: it is no longer broken, but waits.
    UPDATE public.pictures SET status = 'waiting-for-process', preparing_status = 'not-processed'
    WHERE id = NEW.picture_id AND preparing_status = 'broken';
  END IF;
  RETURN NULL;
END
$$;
SELECT priv.put_trigger('a_priv_give_turn', 'AFTER INSERT', 'public.job_queue', 'give_turn');

-- Upstream answers 500 to who asks for a picture that is in the queue already.
CREATE OR REPLACE FUNCTION priv.once_is_enough() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off
AS $$
BEGIN
  RETURN CASE WHEN EXISTS (SELECT FROM public.job_queue j WHERE j.picture_id = NEW.picture_id) THEN NULL ELSE NEW END;
END
$$;
SELECT priv.put_trigger('a_priv_once_is_enough', 'BEFORE INSERT', 'public.job_queue', 'once_is_enough', $$NEW.task = 'prepare'$$);

-- Jobs of before this was there.
INSERT INTO priv.turns (job_id, account_id, turn, blurs)
SELECT j.id, priv.owner_of_job(j), row_number() OVER (PARTITION BY priv.owner_of_job(j) ORDER BY j.ts) - 1, j.task = 'prepare'
FROM public.job_queue j
ON CONFLICT (job_id) DO NOTHING;

-- A picture without a job, neither prepared nor broken, would wait for ever (a process that was killed between two
-- transactions, or a restored backup). Workers ask for this now and then.
CREATE OR REPLACE FUNCTION priv.queue_forgotten_pictures() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  WITH queued AS (
    INSERT INTO public.job_queue (picture_id, task)
    SELECT p.id, 'prepare' FROM public.pictures p
    WHERE p.preparing_status NOT IN ('prepared', 'broken') AND p.status <> 'waiting-for-delete'
      AND p.inserted_at < now() - interval '10 minutes'
      AND NOT EXISTS (SELECT FROM public.job_queue j WHERE j.picture_id = p.id OR j.picture_to_delete_id = p.id)
    RETURNING 1)
  SELECT count(*) FROM queued
$$;

-- What the queue looks like, for scripts/blurring.py and monitoring.
CREATE OR REPLACE FUNCTION priv.queue_state() RETURNS TABLE (account text, waiting bigint, failing bigint, oldest text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT coalesce(a.name, ''), count(*), count(*) FILTER (WHERE j.nb_errors > 0 OR j.to_do_after_ts > now()), min(j.ts)::text
  FROM public.job_queue j JOIN priv.turns t ON t.job_id = j.id LEFT JOIN public.accounts a ON a.id = t.account_id
  WHERE j.task = 'prepare' GROUP BY a.id, a.name ORDER BY 2 DESC, 1
$$;

-- The pictures that failed, or fail: `next` is when they are tried again, empty for those that were given up.
CREATE OR REPLACE FUNCTION priv.failed_pictures() RETURNS TABLE (picture uuid, account text, file text, state text, tries integer, next text, reason text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT p.id, coalesce(a.name, ''), coalesce(p.metadata ->> 'originalFileName', ''), p.preparing_status::text,
         coalesce(j.nb_errors, 0), coalesce(j.to_do_after_ts::text, ''),
         coalesce((SELECT h.error FROM public.job_history h WHERE h.picture_id = p.id AND h.error IS NOT NULL
                   ORDER BY h.started_at DESC LIMIT 1), '')
  FROM public.pictures p JOIN public.accounts a ON a.id = p.account_id
  LEFT JOIN public.job_queue j ON j.picture_id = p.id AND j.task = 'prepare'
  WHERE p.preparing_status = 'broken' OR j.nb_errors > 0
  ORDER BY p.inserted_at, p.id
$$;

-- Tries broken pictures again, all of them where none is named. Returns those that are in the queue now.
CREATE OR REPLACE FUNCTION priv.retry_pictures(named uuid[] DEFAULT NULL) RETURNS SETOF uuid
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  INSERT INTO public.job_queue (picture_id, task)
  SELECT p.id, 'prepare' FROM public.pictures p
  WHERE p.preparing_status = 'broken' AND (named IS NULL OR p.id = ANY (named))
  RETURNING picture_id
$$;
