"""Studies: many configurations, trained side by side and written to one table. ``rnnzoo study FILE`` runs one."""

from rnnzoo.study.plan import Study, load_study

__all__ = ["Study", "load_study"]
