"""`make bench`: the stack alone under calls, measured from outside, in a memory cgroup if asked.

Four processes: this one samples and reports; `driver` calls; `providers` stand in for speech and
language services; the product is started by its own launcher.
"""
