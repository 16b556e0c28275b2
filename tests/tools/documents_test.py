#!/usr/bin/env python3
"""What the documents, and the comments of everything else, refer to."""
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAME = re.compile(r"(?<![\w./-])(?:docs/)?[\w-]+\.md\b")
FOLDERS = ("src", "include", "tests", "tools", "scripts", "conf", "docker", "grafana", "packaging", "cmake", "docs")


def anchors_of(text):
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def leads_somewhere(link, document):
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    return target.exists() and (not anchor or anchor in anchors_of(target.read_text()))


def names_in(text):
    """The documents that a text names, of this repository: not a part of a longer path."""
    return {pathlib.PurePath(name).name for name in NAME.findall(text)}


class DocumentsTest(unittest.TestCase):
    def test_their_links_lead_somewhere(self):
        links = [(document, link) for document in DOCUMENTS for link in LINK.findall(document.read_text()) if "://" not in link]

        self.assertGreater(len(links), 20)
        self.assertEqual([f"{one.name}: {link}" for one, link in links if not leads_somewhere(link, one)], [])

    def test_a_link_to_nothing_leads_nowhere(self):
        self.assertFalse(leads_somewhere("nowhere.md", ROOT / "README.md"))
        self.assertFalse(leads_somewhere("docs/deployment.md#nowhere", ROOT / "README.md"))
        self.assertTrue(leads_somewhere("#what-is-where", ROOT / "README.md"))

    def test_each_document_that_anything_names_is_here(self):
        listed = subprocess.run(["git", "ls-files", "-z", *FOLDERS], cwd=ROOT, capture_output=True, check=True).stdout
        files = [ROOT / name.decode() for name in listed.split(b"\0") if name and b"/corpus/" not in name]
        known = {document.name for document in DOCUMENTS} | {"nowhere.md"}

        missing = {
            f"{file.relative_to(ROOT)}: {name}"
            for file in files
            if file.exists() and file != pathlib.Path(__file__).resolve()
            for name in names_in(file.read_text(errors="ignore")) - known
        }

        self.assertEqual(missing, set())

    def test_names_of_documents_are_found_in_text(self):
        self.assertEqual(names_in("// see docs/retries.md, (tidb.md 8.1) and design.md."), {"retries.md", "tidb.md", "design.md"})
        self.assertEqual(names_in("https://example.org/a/README.md x.mdx"), set())


if __name__ == "__main__":
    unittest.main()
