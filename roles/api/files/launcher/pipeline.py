"""Puts our own dealings with the blurring service and the queue in the place of upstream's, in a worker's process."""

import json
import logging
from typing import Any

import psycopg

from launcher import blurring, breaker
from launcher.jobs import Queue

log = logging.getLogger("launcher.pipeline")

_RECORD = """
INSERT INTO priv.blurring_proofs (picture_id, statement, signature) VALUES (%(picture)s, %(statement)s, %(signature)s)
ON CONFLICT (picture_id) DO UPDATE
SET statement = excluded.statement, signature = excluded.signature, recorded = now()
"""
_SIGNED = "SELECT proof.signed(%(statement)s, %(signature)s)"
_FORGOTTEN = "SELECT priv.queue_forgotten_pictures()"
TEST_SECONDS = 30.0


class Pipeline:
    """What a worker needs to process pictures."""

    def __init__(self, app: Any, patience: float, pauses: list[float]) -> None:
        """`patience`: seconds that the blurring may take for a picture; `pauses`: see `Queue`.

        Raises:
            AttributeError: upstream's program is built in another way than this was written for.
        """
        from geovisio.utils import pictures
        from geovisio.workers import runner_pictures

        self._app, self._patience = app, patience
        self._url = app.config["API_BLUR_URL"]
        self._test_picture = breaker.test_picture()
        self.breaker = breaker.Breaker(self.test)
        self.queue = Queue(self.breaker, pauses)
        for module, name, ours in (
            (pictures, "createBlurredHDPicture", self.blur),
            (runner_pictures, "_get_next_job", self.queue.next),
        ):
            getattr(module, name)
            setattr(module, name, ours)

    def test(self) -> str:
        """Send the test picture; return why the service does not do its work, or an empty text if it does."""
        try:
            answer = blurring.ask(
                self._url, breaker.TEST_PICTURE, self._test_picture, min(self._patience, TEST_SECONDS)
            )
            blurring.check(answer, breaker.TEST_PICTURE, self._test_picture)
        except blurring.RefusedError as error:
            return f"the blurring service refuses the test picture: {error}"
        except blurring.BlurringError as error:
            return str(error)
        with self._app.pool.connection() as connection:
            row = connection.execute(_SIGNED, {"statement": answer.statement, "signature": answer.signature}).fetchone()
        if not row or not row[0]:
            return "the blurring service signs with a key that the database does not know"
        return ""

    def blur(self, folder: Any, _url: str, data: bytes, path: str, keep_unblured_parts: bool = False) -> Any:
        """Blur the current job's picture and put it into ``folder``, in the place of upstream's function.

        Raises:
            BlurringError: there is no picture that one could show.
        """
        from geovisio.utils.pictures import BlurredPicture

        if keep_unblured_parts or self.queue.job is None:
            raise RuntimeError("pictures are blurred for a job, and nothing is kept of the original")
        picture = str(self.queue.job.pic.id)
        answer = blurring.ask(self._url, picture, data, self._patience)
        image = blurring.check(answer, picture, data)
        self._record(picture, answer)
        write_whole(folder, path, answer.image)
        return BlurredPicture(image=image, metadata={k: v for k, v in answer.metadata.items() if k != "proof"})

    def _record(self, picture: str, answer: blurring.Answer) -> None:
        try:
            self.queue.job.reporting_conn.execute(
                _RECORD,
                {"picture": picture, "statement": answer.statement, "signature": answer.signature},
            )
        except psycopg.Error as error:
            if error.sqlstate == "PV403":
                raise blurring.FailedError("the blurring service's proof is not signed as it should be") from error
            raise
        said = json.loads(answer.statement)
        log.info("Picture %s blurred by %s %s", picture, said.get("service"), said.get("version"))

    def look_for_forgotten(self) -> None:
        """Queue pictures that wait without a job."""
        with self._app.pool.connection() as connection:
            row = connection.execute(_FORGOTTEN).fetchone()
        if row and row[0]:
            log.warning("%d pictures waited without a job; they are in the queue now", row[0])


def write_whole(folder: Any, path: str, data: bytes) -> None:
    """Put a file in its place at once, so that nobody ever reads half of it.

    A storage that cannot rename (S3) shows objects only once they are whole.
    """
    if not folder.capability().rename:
        folder.write(path, data)
        return
    beside = f"{path}.new"
    folder.write(beside, data)
    # Upstream's wrapper does not pass this on.
    folder.op.rename(beside, path)
