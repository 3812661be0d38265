from tests.store.conftest import empty, store, url

__all__ = ["empty", "store", "url"]
