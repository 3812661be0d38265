"""What is stored sealed with the key ring: secrets, suspended flows, versions of deleted Actions."""
