"""The verbs of the gateway: collect, predict, plan, dispatch; and the view of it all."""
