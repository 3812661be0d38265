// a base class of the team, and the handler is its method
class Handlers {
  #denied = 0;
  constructor(limit) {
    this.limit = limit;
  }
  async onExecutePostLogin(event, api) {
    if (await this.tooMany(event.stats.logins_count)) api.access.deny(`more than ${this.limit} logins`);
    console.log("denied so far", this.#denied);
  }
  async tooMany(count) {
    if (count <= this.limit) return false;
    this.#denied += 1;
    return true;
  }
}
class PortalHandlers extends Handlers {
  constructor() {
    super(100);
  }
}
module.exports = new PortalHandlers();
