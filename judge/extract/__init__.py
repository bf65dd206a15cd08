"""A model's free-form answer -> one Python program, and the program as it is executed. Pure; nothing is run here.

Inside, each file uses only the ones before it::

    values     what comes out
    source     what code defines, binds and reads
    text       which part of a reply is the answer
    repair     what copying did to code
    blocks     where code stands in Markdown, JSON, HTML or bare text
    cues       what the words around a block say
    candidates what a block is
    patch      a part of a program put into its whole
    sentences  corrections that sentences give
    choice     which blocks are the program
    answer     extract(): all of it, recorded
    program    runnable(): the program without its examples
    remainder  a program without what cannot run here
    newer      whether code is right in a newer Python

Each is imported by its own name, and not from here: a judge's prompt needs ``text`` alone, and not what parses Markdown.
"""
