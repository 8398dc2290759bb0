"""Durable cases: what the engine knows is kept in SQLite or PostgreSQL, and one event is one transaction.

How the parts fit, from the outside in:

``opening``     a URL becomes a ``Store`` (``contract`` says what one does, ``faults`` what can be wrong with it);
                ``sqlite`` and ``postgres`` are the two there are, over the SQL in ``statements`` that they share
                (``shared``). ``schema`` holds the tables, version by version; opening brings an older store up to
                date. ``rows`` are the rows as tuples.
``operating``   live operation: ``Operation`` takes events and fires timers by the policy set that is installed
                (``versions``); ``running`` takes whole inputs, remembering how far it came (``progress``,
                and ``late`` for what lateness holds back).
``batch``       the work of one transaction. It asks the desks for what is needed, lets the engine work, and hands
                back subjects, cases, records (tied into a ``chain``), requests and dead letters, all at once.
``desks``       the engine's desks, whose subjects (on a ``shelf``) come out of the store when they are asked for.
                ``snapshot`` turns a case into bytes and back; ``remembered`` is what is known of a subject beside
                its cases; ``watches`` count over all subjects.
``privacy``     the seam for private facts: all that is private passes ``DataKeys.seal`` before it is kept (``seal``,
                which also says who may see what). ``keys`` wraps data keys with the key at hand, ``rotation`` changes
                that; ``erase`` is the end of what is private, ``customers`` and ``contacts`` tell what there is.
``outbox``      requests leased, done, failed, parked (``queue``); ``delivery`` hands them over by ``mail`` or to a
                ``webhook``, and leaves servers that failed alone for a while.
``noting``      what is noted of events beside cases: the contact log, and where a customer's facts are.
``applying``    a changed set: ``moving`` takes a case to it, for a plan that is undone or for good.
``looking``     questions about cases; ``verifying`` finds records that were altered, inserted or lost.

Whoever adds a part writes it on ``Transaction``: its rows belong to the transaction of the event that causes them.
"""
