"""Values that events hold and api members take: read, checked and compared as JavaScript does."""
