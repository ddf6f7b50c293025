"""How long jobs take: as long as those like them took, else as a bare training loop suggests.

Samples and answers are slower than texts that are learnt, by a factor that depends on their length:
about as fast in people, a third or a quarter of the speed where answers are long.  So a minute of a
complete job tells more than any estimate made before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bioreason_bench.draw import Draw
from bioreason_bench.experiments.jobs import Job

__all__ = ["Pace", "minutes_per_text"]

ANSWERS = 4_500  # test questions after an arm, about


@dataclass(frozen=True)
class Spent:
    """What a complete job took.

    Attributes:
        job: The job.
        training: Minutes of its stages.
        tests: Minutes of its answers to the test sets.
    """

    job: Job
    training: float
    tests: float


@dataclass(frozen=True)
class Pace:
    """The durations of the jobs of a study, on one thread each.

    Attributes:
        jobs: All jobs; complete ones tell how long others take.
        minutes_per_text: What learning a text takes, as long as no job is complete.
    """

    jobs: Sequence[Job]
    minutes_per_text: float

    def minutes_left(self, waiting: Iterable[Job], running: Iterable[Job], workers: int) -> float:
        """Minutes until all these jobs are complete."""
        known = [
            Spent(job, job.trained_minutes(), job.tested_minutes())
            for job in self.jobs
            if job.complete()
        ]
        minutes = []
        for job, (steps, tests) in (
            *((job, (0.0, 0.0)) for job in waiting),
            *((job, job.share_done()) for job in running),
        ):
            training = self.training(job, known) * (1 - steps)
            minutes.append(training + self.tests(job, known) * (1 - tests))
        return sum(minutes) / max(1, min(workers, len(minutes)))

    def training(self, job: Job, known: Sequence[Spent]) -> float:
        """Minutes of a job's stages.

        The median of the same arm; else, for as many texts, of jobs with stages of the same kinds.
        """
        same = [spent.training for spent in known if spent.job.arm == job.arm]
        if same:
            return median(same)
        alike = [
            spent.training / spent.job.texts() for spent in known if spent.job.kinds == job.kinds
        ]
        return job.texts() * (median(alike) if alike else self.minutes_per_text)

    def tests(self, job: Job, known: Sequence[Spent]) -> float:
        """Minutes of the answers to the test sets: the median of the same arm, else of all."""
        same = [spent.tests for spent in known if spent.job.arm == job.arm]
        spent = same or [spent.tests for spent in known]
        return median(spent) if spent else ANSWERS * self.minutes_per_text


def minutes_per_text(job: Job) -> float:
    """Minutes that learning one text takes on this machine now, on one thread.

    Measured with a bare loop over the first batches of the job's recipe.
    """
    import torch

    from bioreason_bench.training.data import make_mixture
    from bioreason_bench.training.models import load as models
    from bioreason_bench.training.speed import expected_minutes

    models.quiet()
    recipe = job.arm.load(job.seed)
    stage = recipe.stages[0]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model, tokenizer = models.start(recipe, job.corpus)
    mixture = make_mixture(
        job.corpus, stage.batch, stage.steps, tokenizer, recipe.max_length, Draw(0)
    )
    minutes = expected_minutes(model, tokenizer, mixture, recipe)
    torch.set_num_threads(threads)
    return minutes / len(mixture)
