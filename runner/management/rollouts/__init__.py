"""Rollouts of Actions: `/actions/actions/{id}/rollouts`. (Ours.)"""
