"""One run over an archive: plan, tasks, pixels, scores, progress, summary."""
