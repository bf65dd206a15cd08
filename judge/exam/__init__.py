"""The exam of a judge: answers whose truth is known, and what its scores for them say about it. Pure; nobody is asked here.

result  rates, twin moves, ExamResult, Qualification
twins   an answer -> the same answer with other text
paper   which answers are asked, from ``rubrics/exam/``
marking scores -> ExamResult: the rules by which a judge qualifies
table   ExamResult -> rows for a terminal
"""
