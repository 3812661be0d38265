"""Running a recorded execution again: as it was, with a draft or a version, or with other answers."""
