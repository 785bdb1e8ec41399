"""The HTTP API of RabbitMQ's management plug-in, in the broker's own event loop.

`server` listens, `resources` maps paths to handlers and says who may call them, `call` is one request, `lists` pages
and sorts, `views` has the JSON shape of each object, `rates` remembers counters for a while. The handlers are in `api`,
a module for each kind of object. What they show is read from the model at that moment. `page` serves the web page,
whose files are in `static`: ES modules that call the API as anybody could.

Nothing here is imported unless the listener is on, or somebody comes to the control socket, which `doorbell` watches.
"""
