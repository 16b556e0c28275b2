#!/usr/bin/env python3
"""The hook that scripts/install-hooks installs, run by git itself."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
IDENTITY = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "n"), ("EMAIL", "e@x"))}


class CommitMsgTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self.environment = inherited | IDENTITY | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        self.run_here("git", "init", "-q")
        shutil.copytree(SCRIPTS, self.root / "scripts")

    def run_here(self, *command, folder="."):
        return subprocess.run(command, cwd=self.root / folder, env=self.environment, capture_output=True, text=True)

    def install(self):
        self.assertEqual(self.run_here("scripts/install-hooks").returncode, 0)

    def commit(self, message, folder="."):
        """Git's exit code, and what it said."""
        done = self.run_here("git", "commit", "-q", "--allow-empty", "--cleanup=strip", "-m", message, folder=folder)
        return done.returncode, done.stderr

    def expect_accepted(self, message):
        self.assertEqual(self.commit(message), (0, ""))

    def expect_refused(self, message, why):
        code, said = self.commit(message)
        self.assertNotEqual(code, 0, message)
        self.assertIn(why, said)

    def test_without_the_hook_any_subject_is_taken(self):
        self.expect_accepted("Whatever")

    def test_an_area_and_what_it_does_are_taken(self):
        self.install()
        self.expect_accepted("session: a ping is answered without a lease")
        self.expect_accepted("session, sql: USE is read once\n\nThe reason.\n- and a list: of it")
        self.expect_accepted("scripts/coverage: BRANCHES too")

    def test_a_subject_of_72_characters_is_taken_and_a_longer_one_refused(self):
        self.install()
        subject = "pool: " + "ä" * 66
        self.expect_accepted(subject)
        self.expect_refused(subject + "ä", "73 characters, 72 at most")

    def test_other_forms_are_refused(self):
        self.install()
        for subject in ("a ping is answered", "Session: it pings", "session:it pings", "session: ", "session: it pings."):
            self.expect_refused(subject, "area: what it does now")

    def test_a_body_right_behind_the_subject_is_refused(self):
        self.install()
        self.expect_refused("pool: it dials\nBecause.", "not empty")

    def test_what_git_writes_itself_is_taken(self):
        self.install()
        self.expect_accepted("fixup! pool: it dials")
        self.expect_accepted(f'Revert "pool: {"x" * 66}"')

    def test_comments_are_no_subject(self):
        self.install()
        self.expect_accepted("# Please enter the message\npool: it dials\n# On branch main")

    def test_it_runs_in_a_folder_below_and_in_other_worktrees(self):
        self.install()
        self.run_here("git", "add", "scripts")
        self.expect_accepted("scripts: hooks")
        self.run_here("git", "worktree", "add", "-q", "other")
        for folder in ("scripts", "other"):
            code, said = self.commit("Whatever", folder)
            self.assertNotEqual(code, 0, folder)
            self.assertIn("commit-msg", said)

    def test_hooks_that_somebody_has_are_kept(self):
        self.run_here("git", "config", "core.hooksPath", "mine")

        done = self.run_here("scripts/install-hooks")

        self.assertEqual(done.returncode, 1)
        self.assertIn("already mine", done.stderr)
        self.assertEqual(self.run_here("git", "config", "core.hooksPath").stdout, "mine\n")


if __name__ == "__main__":
    unittest.main()
