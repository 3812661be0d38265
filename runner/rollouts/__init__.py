"""Rollouts: a candidate gets a growing share of an Action's events, and goes back by itself when it does
harm.

    plan        what a tenant asks for, checked
    statistics  evidence that may be looked at after every event
    guards      what is watched, and when it is a regression
    events      what a leg leaves for the counts, in the transaction of its record
    counts      these events folded into counts
    lifecycle   the states of a rollout: started, paused, next stage, promoted, rolled back
    conductor   decides, in one replica at a time
    views       what the API shows

Which arm an event falls on is `runner.model.arms`; the front chooses it when it resolves a flow
(`runner.store.resolved_flow`), so that no invoke runs a version that nobody chose.
"""
