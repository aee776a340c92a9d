"""flexedge: FlexMeasures brought to the site.

The floors, each importing only downwards (checked by import-linter):

    cli                                    talks to people at a terminal
    daemon | demo                          builds the process | a simulated site to try it on
    web                                    turns HTTP requests into calls: API and page
    gateway                                the verbs: collect, plan, dispatch, predict
    drivers | store | optim | forecast     one outside thing each, unaware of each other
    config                                 what installers write down: site, settings, profiles
    domain                                 values and rules: stdlib, numpy and pydantic only
    errors                                 the exception tree
"""

__version__ = "0.1.0"
