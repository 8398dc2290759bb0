"""Durable cases: what the engine knows is kept in SQLite or PostgreSQL, and one event is one transaction.

How the parts fit, from the outside in:

``open``        a URL (``url``) becomes a ``Store``; ``contract`` says what one does and what its rows are, ``faults``
                what can be wrong with it.
``sql``         the two databases there are, the statements that they share, their tables and migrations. No SQL stands
                anywhere else.
``live``        live operation: ``Operation`` takes events and fires timers by the policy set that is installed; ``run``
                takes whole inputs, in one process or several (``workers``), and remembers how far it came. What
                lateness holds back is in ``late``, what could not be taken in ``deadletters``.
                ``batch`` is the work of one transaction: it asks the ``memory`` for what is needed, that of
                the engine's run (its subjects come out of the store when they are asked for), lets it work, and hands
                back subjects, cases, records (as ``rows``), requests and dead letters, all at once.
``cases``       a case as bytes and back (``snapshot``), and questions about cases (``search``).
``records``     records tied into a ``chain``; ``verify`` finds those that were altered, inserted or lost, and a
                ``checkpoint`` a store that was put back.
``outbox``      requests leased, done, failed, parked (``queue``); ``delivery`` hands them over by ``mail`` or to a
                ``webhook``, and leaves servers that failed alone for a while.
``privacy``     the seam for private facts: all that is private passes ``DataKeys.seal`` before it is kept (``seal``,
                which also says who may see what). ``keys`` wraps data keys with the key at hand, ``rotation`` changes
                that; ``erase`` is the end of what is private; ``contacts`` and ``customers`` tell what there is.
``versions``    the policy sets of a store: to ``install`` one, to ``plan`` a change, to ``apply`` it to open cases.
``shadow``      another set, tried beside the installed one: live operation notes what it takes in the ``journal``, a
                ``trial`` goes through that, and a ``comparison`` says where they differ.
``backup``      a copy of a store, and one that is put back; ``status`` is how it is doing, in numbers.

Whoever adds a part writes it on ``Transaction``: its rows belong to the transaction of the event that causes them.
"""
