"""The command ``fog-coordinator``."""

from broker.command_line import application
from coordinator.answers_commands import answers
from coordinator.design_commands import demo, place, search, train
from coordinator.fog_commands import deploy, forget, redeploy, serve, status, undeploy
from coordinator.learn_commands import learn
from coordinator.picture_commands import inspect

app = application(
    "Finds a network for your fog, trains it, places it on the nodes and keeps it served."
)
for command in (
    inspect,
    learn,
    search,
    train,
    place,
    serve,
    deploy,
    redeploy,
    status,
    answers,
    undeploy,
    forget,
    demo,
):
    app.command()(command)
