// Stands in for parts of packages that the guest does without.
