from __future__ import annotations

from engine.jobs.progress import JobProgress
from engine.protocol.events import JobResumed, StageChanged, StepDone


def test_a_job_that_goes_on_is_never_less_far_than_its_checkpoint() -> None:
    progress = JobProgress("job", 20, saved_step=10, saved_steps=20)
    first = progress.now()
    assert (first.step, first.steps, first.stage) == (10, 20, "waiting")
    assert 0.4 < first.fraction < 0.6
    seen = [
        progress.stage_changed(StageChanged("job", "loading", 0.5)),
        progress.stage_changed(StageChanged("job", "encoding", 0.0)),
        progress.resumed(JobResumed("job", 10, 20)),
        progress.step_done(StepDone("job", 11, 20, 0.1, 1.0)),
    ]
    fractions = [first.fraction, *(one.fraction for one in seen)]
    assert fractions == sorted(fractions) and fractions[-1] > first.fraction


def test_a_refused_checkpoint_begins_at_the_start() -> None:
    progress = JobProgress("job", 20, saved_step=20, saved_steps=20)
    assert progress.now().fraction == 0.9
    over = progress.starts_over()
    assert (over.step, over.fraction) == (0, 0.0)
    assert progress.step_done(StepDone("job", 1, 20, 0.1, 1.0)).fraction < 0.2
