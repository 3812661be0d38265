"""Data sealed with the key ring: secrets, suspended flows, answers, versions of deleted Actions."""
