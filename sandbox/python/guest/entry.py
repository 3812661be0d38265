"""The component's exports. Imported when the image is built; everything below it is in the image."""

import wit_world

from actionbox import compiler, execution, freeze, rehearsal, wire

rehearsal.rehearse()
freeze.settle()


class WitWorld(wit_world.WitWorld):
    """The world of `guest.wit`."""

    def warm(self) -> str:
        problem = rehearsal.warm()
        wire.connect()
        return problem or "ready"

    def build(self, source: str, filename: str, policy: str, context: str) -> str:
        return compiler.build(source, filename, policy != "off", context)

    def execute(self, code: str, handler: str, event: str, surface: str, secrets: str) -> str:
        return execution.execute(code, handler, event, surface, secrets)
