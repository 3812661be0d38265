"""The component's exports. Imported when the image is built; everything below it is in the snapshot."""

import wit_world
from actionbox import compiler, execution, rehearsal, wire

rehearsal.rehearse()


class WitWorld(wit_world.WitWorld):
    """`guest.wit`'s world."""

    def warm(self):
        rehearsal.warm()
        wire.connect()
        return "ready"

    def build(self, source, filename, policy):
        return compiler.build(source, filename, policy != "off")

    def execute(self, code, handler, event, surface):
        return execution.execute(code, handler, event, surface)
