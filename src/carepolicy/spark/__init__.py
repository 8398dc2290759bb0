"""Policies on Apache Spark: audits of logs, and streams of events, that one machine cannot hold."""
