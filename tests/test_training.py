"""Readers can be trained, distilled and exported: a smoke run of tiny ones, on the CPU and on 20 examples."""

import gzip
import hashlib
import json
import random
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel, BertTokenizer, MPNetConfig, MPNetModel, MPNetTokenizer

from pullquote.articles import make_article
from pullquote.datatypes import Chunk, Passage
from pullquote.inference import MODELS
from pullquote.reading import Reader, Weights
from pullquote.sentences import sentence_spans
from tests.conftest import PROJECT, needs_shared
from training import four_bits, smoothing
from training.assessing import read
from training.data import Question, TrainingData, load_held_out, load_training
from training.distilling import Teacher, teacher_loss, vocabulary_map
from training.errors import DataError, ExportError, TrainingError
from training.examples import Example, Examples, Shares, windowed
from training.export import export
from training.mining import hard_passages
from training.model import ReaderModel
from training.tokens import batches, collated, tokenised
from training.train import Epoch, Recipe, main, train
from training.tune import Counts, Windows, tune
from training.variants import names, swapped, without_answer

FILES: dict[str, Any] = json.loads((PROJECT / "tests" / "data" / "training-20.json").read_text("utf-8"))
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
RECIPE = Recipe(epochs=60, batch=8, lr=3e-3)
pytestmark = [  # what torch's tracer and onnxruntime's quantiser say of any model; both results are checked
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
    pytest.mark.filterwarnings("ignore:.*(legacy TorchScript|feature will be removed):DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Exporting aten..index operator"),
    pytest.mark.filterwarnings("ignore:invalid value encountered in divide"),
]

ALWAYS = Shares(1, 1, 1)
FEW = Counts(like_them=20, swapped=6, strange=6)
CPU = torch.device("cpu")

Logits = NDArray[np.float32]
Answers = Callable[[list[int], list[int]], tuple[Logits, Logits]]  # ids and type ids -> start, end


class Trained(NamedTuple):
    folder: Path
    epochs: list[Epoch]


@pytest.fixture(scope="module", autouse=True)
def alone_on_one_core() -> Iterator[None]:
    """No network, and one thread: several are slower on matrices this small."""

    def refuse(*_: object) -> NoReturn:
        raise OSError("training asked for the network")

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FILES, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny untrained encoder, "bert" or "mpnet", whose vocabulary are the words of the examples."""
    folder = tmp_path_factory.mktemp("base")
    found = re.findall(r"[a-z]+|\d+|[^\w\s]", json.dumps(FILES).lower())
    pieces = [*sorted({*found, *LETTERS}), *("##" + letter for letter in LETTERS)]
    size: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    size |= {"intermediate_size": 64, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    size |= {"initializer_range": 0.1, "max_position_embeddings": 514}
    torch.manual_seed(0)
    words = numbered("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *pieces)
    BertModel(BertConfig(vocab_size=len(words), **size)).save_pretrained(folder / "bert")
    BertTokenizer(vocab=words).save_pretrained(folder / "bert")
    words = numbered("<s>", "<pad>", "</s>", "<unk>", "[UNK]", *reversed(pieces), "<mask>")
    MPNetModel(MPNetConfig(vocab_size=len(words), **size)).save_pretrained(folder / "mpnet")
    MPNetTokenizer(vocab=words).save_pretrained(folder / "mpnet")
    return lambda name: folder / name


@pytest.fixture(scope="module")
def teacher(base: Callable[[str], Path], data: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("teacher")
    return Trained(folder, train(RECIPE, base("mpnet"), data, folder))


@pytest.fixture(scope="module")
def student(
    base: Callable[[str], Path], data: Path, teacher: Trained, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    folder = tmp_path_factory.mktemp("student")
    return Trained(folder, train(RECIPE, base("bert"), data, folder, base("mpnet"), teacher.folder))


def written(files: dict[str, Any], folder: Path) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(gzip.compress(json.dumps(content).encode()))
    return folder


def numbered(*words: str) -> dict[str, int]:
    return {word: place for place, word in enumerate(words)}


def questions(data: Path) -> list[Question]:
    return load_training(data).answerable


def plain(text: str) -> str:
    """SQuAD's `normalize_answer`."""
    kept = re.sub(r"[^\w\s]", "", text.lower())
    return " ".join(word for word in kept.split() if word not in ("a", "an", "the"))


def best(folder: Path, question: Question, answers: Answers) -> str:
    """The best span of at most 30 tokens, found in a double loop."""
    encoding = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(question.text, question.context)
    start, end = answers(encoding.ids, encoding.type_ids)
    inside = [place for place, side in enumerate(encoding.sequence_ids) if side == 1]
    spans = [(i, j) for i in inside for j in inside if i <= j < i + 30]
    i, j = max(spans, key=lambda span: start[span[0]] + end[span[1]])
    return question.context[encoding.offsets[i][0] : encoding.offsets[j][1]]


def by_torch(folder: Path) -> Answers:
    model = ReaderModel(folder).eval()

    def answers(ids: list[int], types: list[int]) -> tuple[Logits, Logits]:
        with torch.inference_mode():
            start, end = model(torch.tensor([ids]), torch.tensor([types]), torch.ones(1, len(ids), dtype=torch.int64))
        return start[0].numpy(), end[0].numpy()

    return answers


def by_onnx(folder: Path) -> Answers:
    session = ort.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])

    def answers(ids: list[int], types: list[int]) -> tuple[Logits, Logits]:
        given = {"input_ids": ids, "token_type_ids": types, "attention_mask": [1] * len(ids)}
        names = [value.name for value in session.get_inputs()]
        start, end = session.run(["start", "end"], {name: np.array([given[name]]) for name in names})
        return start[0], end[0]

    return answers


@pytest.mark.parametrize("name", ["teacher", "student"])
def test_a_reader_learns_its_20_examples(name: str, data: Path, request: pytest.FixtureRequest) -> None:
    trained: Trained = request.getfixturevalue(name)
    losses = [epoch.loss for epoch in trained.epochs]
    assert max(losses[-5:]) < losses[0] / 4
    assert all(later.unanswerable for later in trained.epochs)
    answers = by_torch(trained.folder)
    asked = questions(data)
    right = [plain(best(trained.folder, question, answers)) == plain(question.answer) for question in asked]
    assert len(right) == 18
    assert sum(right) >= 16
    recorded = json.loads((trained.folder / "result.json").read_text())
    assert recorded["recipe"]["lr"] == RECIPE.lr
    assert [epoch["loss"] for epoch in recorded["epochs"]] == losses


def test_a_reader_learns_to_tell_what_is_not_answered(teacher: Trained, data: Path) -> None:
    training = load_training(data)
    pairs = [(row.text, row.context) for row in training.answerable]
    pairs += [(gold.text, gold.context) for gold in training.unanswerable]
    scores = [reading.score for reading in read(ReaderModel(teacher.folder), pairs, RECIPE.max_tokens)]
    assert np.median(scores[:18]) > 0
    assert max(scores[18:]) < 0


def test_training_again_gives_the_same_weights(base: Callable[[str], Path], data: Path, tmp_path: Path) -> None:
    weights = []
    for seed, folder in ((0, "one"), (0, "same"), (1, "other")):
        train(replace(RECIPE, epochs=1, seed=seed), base("bert"), data, tmp_path / folder)
        weights.append((tmp_path / folder / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]
    assert weights[0] != weights[2]


def test_a_teacher_marks_the_students_tokens(base: Callable[[str], Path], data: Path, teacher: Trained) -> None:
    student, master = ReaderModel(base("bert")), ReaderModel(teacher.folder).eval()
    asked = [Example(row.text, row.context, (row.start, row.end)) for row in questions(data)]
    rows = tokenised(asked, student.tokenizer, 384)
    batch = collated(rows, 0)
    start, end = Teacher(teacher.folder, student.tokenizer, CPU).logits(batch)
    for number, example in enumerate(asked):
        pair = master.tokenizer(example.question, example.passage, return_tensors="pt")
        separator = rows[number].ids.index(student.tokenizer.sep_token_id)
        kept = [place for place in range(pair["input_ids"].shape[1]) if place != separator + 1]
        with torch.inference_mode():
            expected = master(pair["input_ids"], pair["input_ids"], pair["attention_mask"])
        for found, wanted in zip((start, end), expected, strict=True):
            torch.testing.assert_close(found[number, : len(kept)], wanted[0, kept], atol=1e-4, rtol=1e-4)


def test_an_unknown_token_is_the_teachers_unknown_token(base: Callable[[str], Path]) -> None:
    student, master = (ReaderModel(base(name)).tokenizer for name in ("bert", "mpnet"))
    student.add_tokens(["zyzzyva"])
    ids = vocabulary_map(student, master)
    assert ids[student.convert_tokens_to_ids("zyzzyva")] == master.unk_token_id
    assert ids[student.sep_token_id] == master.sep_token_id
    assert ids[student.convert_tokens_to_ids("ferry")] == master.convert_tokens_to_ids("ferry")


def test_the_teachers_loss_is_the_divergence_written_out() -> None:
    own, other = torch.tensor([[1.0, 2.0, 0.5, 9.0]]), torch.tensor([[0.0, 3.0, 1.0, -9.0]])
    mask = torch.tensor([[1, 1, 1, 0]])
    p, q = (np.exp(row[0, :3].numpy() / 2) for row in (other, own))
    p, q = p / p.sum(), q / q.sum()
    found = teacher_loss((own, own), (other, other), mask, temperature=2.0)
    assert float(found) == pytest.approx(4 * float((p * np.log(p / q)).sum()), abs=1e-5)


@pytest.mark.parametrize("weights", ["int8", "int4"])
@pytest.mark.parametrize("name", ["teacher", "student"])
def test_an_exported_reader_says_what_the_trained_one_says(
    name: str,
    weights: Literal["int8", "int4"],
    data: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trained: Trained = request.getfixturevalue(name)
    assert 0 < export(trained.folder, tmp_path, weights) < 0.5
    model, tokenizer = (sha256(tmp_path / name) for name in ("model.onnx", "tokenizer.json"))
    told = capsys.readouterr().out
    assert model in told
    assert tokenizer in told
    graph = onnx.load(tmp_path / "model.onnx").graph
    committed = onnx.load(MODELS / ("reader-large" if name == "teacher" else "reader") / "model.onnx").graph
    assert [value.name for value in graph.input] == [value.name for value in committed.input]
    assert [value.name for value in graph.output] == [value.name for value in committed.output]
    quantised = {node.op_type: node for node in graph.node}
    assert ({"MatMulInteger"} if weights == "int8" else {"MatMulNBits", "GatherBlockQuantized"}) <= quantised.keys()
    if weights == "int4":
        settings = {entry.name: entry.i for entry in quantised["MatMulNBits"].attribute}
        assert (settings["bits"], settings["block_size"], settings["accuracy_level"]) == (4, 32, 4)
        assert len(quantised["MatMulNBits"].input) == 3, "symmetric: no zero points"
    exact, small = by_torch(trained.folder), by_onnx(tmp_path)
    asked = questions(data)
    same = [best(trained.folder, row, exact) == best(tmp_path, row, small) for row in asked]
    assert sum(same) >= 16
    reader = Reader(Weights(tmp_path, model, tokenizer, temperature=1.0))
    found = [said(reader, row) for row in asked]
    assert sum(plain(row.answer) in plain(text) for row, text in zip(asked, found, strict=True)) >= 14


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def said(reader: Reader, question: Question) -> str:
    article = make_article(question.context, title="T")
    spans = tuple(span for paragraph in article.paragraphs for span in sentence_spans(article, paragraph))
    passage = Passage(Chunk(article.id, 0, len(article.text.rstrip()), 0), article, spans, 0.5, 0.0, 0.5)
    likeliest = max(reader.read(question.text, passage), key=lambda span: span.score)
    return article.text[likeliest.start : likeliest.end]


def test_a_graph_that_is_not_the_model_is_refused(
    student: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.export.TOLERANCE", -1.0)
    with pytest.raises(ExportError, match="differs from the torch model"):
        export(student.folder, tmp_path, "int8")


@pytest.fixture(scope="module")
def quantised(base: Callable[[str], Path], data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader with much to learn yet, in 4 bits, with its config.json, as the package has the large reader."""
    trained, folder = tmp_path_factory.mktemp("trained"), tmp_path_factory.mktemp("quantised")
    train(replace(RECIPE, epochs=6), base("mpnet"), data, trained)
    export(trained, folder, "int4")
    (folder / "config.json").write_bytes((trained / "config.json").read_bytes())
    return folder


@pytest.fixture(autouse=True)
def every_group_is_like_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.tune.LIKE_THEM", ("",))


def initializers(path: Path) -> dict[str, NDArray[Any]]:
    return {value.name: onnx.numpy_helper.to_array(value) for value in onnx.load(path).graph.initializer}


def largest_difference(folder: Path, model: ReaderModel, asked: list[Question]) -> float:
    """Between a logit of onnxruntime and of torch, over what the logits are spread by."""
    session = ort.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    apart = []
    for row in asked:
        pair = model.tokenizer(row.text, row.context, return_tensors="pt")
        with torch.inference_mode():
            wanted = model.eval()(pair["input_ids"], None, pair["attention_mask"])
        found = session.run(["start", "end"], {name: pair[name].numpy() for name in ("input_ids", "attention_mask")})
        apart += [np.abs(a - b.numpy()).max() / b.numpy().std() for a, b in zip(found, wanted, strict=True)]
    return float(max(apart))


def test_a_reader_in_4_bits_is_read_and_written_as_it_is(quantised: Path, data: Path, tmp_path: Path) -> None:
    model = four_bits.load(quantised)
    assert largest_difference(quantised, model, questions(data)) < 0.25  # onnxruntime multiplies in int8
    four_bits.save(model, quantised, tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").read_bytes() == (quantised / "model.onnx").read_bytes()


def test_tuning_a_reader_in_4_bits_keeps_its_integers(quantised: Path, data: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=20)
    losses = tune(recipe, FEW, quantised, data, tmp_path)
    assert min(losses[-3:]) < losses[0] / 2
    before, after = initializers(quantised / "model.onnx"), initializers(tmp_path / "model.onnx")
    assert before.keys() == after.keys()
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    integers = {name for name in before if name.endswith("_Q4")}
    embeddings = {name for name in before if "embeddings" in name and name.endswith("_scales")}
    scales = {name for name in before if name.endswith("_scales")} - embeddings
    assert changed.isdisjoint(integers | embeddings)
    assert {name for name in scales if "relative" not in name} <= changed
    (tmp_path / "config.json").write_bytes((quantised / "config.json").read_bytes())
    assert largest_difference(tmp_path, four_bits.load(tmp_path), questions(data)) < 0.25


def test_a_smoothed_reader_says_what_it_said(quantised: Path, data: Path, tmp_path: Path) -> None:
    smoothing.main(["--reader", str(quantised), "--data", str(data), "--out", str(tmp_path)])
    kinds = {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node}
    assert {"MatMulInteger", "DynamicQuantizeLinear"} <= kinds
    assert largest_difference(tmp_path, four_bits.load(quantised), questions(data)) < 0.25


def layer(weights: NDArray[np.int8], scales: Logits) -> onnx.ModelProto:
    """x · (weights · scales), of shapes (in, out) and (in / 32, out), as onnxruntime's quantiser writes it."""
    wide, out = weights.shape
    nibbles = (weights.T.astype(np.int16) + 8).astype(np.uint8).reshape(out, -1, 16, 2)
    packed = nibbles[..., 0] | nibbles[..., 1] << 4
    made, of_array = onnx.helper, onnx.numpy_helper.from_array
    settings: dict[str, Any] = {"K": wide, "N": out, "bits": 4, "block_size": 32, "domain": "com.microsoft"}
    node = made.make_node("MatMulNBits", ["x", "w", "s"], ["y"], name="layer", **settings)
    given, said = (made.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in "xy")
    values = [of_array(packed, "w"), of_array(np.ascontiguousarray(scales.T).reshape(-1), "s")]
    graph = made.make_graph([node], "layer", [given], [said], values)
    opsets = [made.make_opsetid("", 21), made.make_opsetid("com.microsoft", 1)]
    return made.make_model(graph, opset_imports=opsets, ir_version=10)


@pytest.mark.parametrize(("wide", "out"), [(64, 64), (128, 32)])
def test_products_of_8_bits_bear_outliers(wide: int, out: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    weights = rng.integers(-8, 8, (wide, out)).astype(np.int8)
    scales = rng.uniform(0.01, 0.02, (wide // 32, out)).astype(np.float32)
    given = rng.standard_normal((40, wide)).astype(np.float32)
    given[:, 5] *= 60  # a channel, of little weight as such channels are
    weights[5] = rng.choice([-1, 1], out)
    if wide > out:
        given[7] *= 200  # a token, inside a feed-forward network
    wanted = given @ (weights * np.repeat(scales, 32, axis=0))

    def worst(strength: float) -> float:
        monkeypatch.setattr(smoothing, "STRENGTH", strength)
        model = layer(weights, scales)
        smoothing.rewrite(model.graph, {"x": np.abs(given[np.arange(40) != 7]).max(axis=0)})
        session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        values = [onnx.numpy_helper.to_array(value) for value in model.graph.initializer]
        [integers] = [value for value in values if value.shape == (wide, out)]
        assert integers.dtype == np.int8
        assert np.abs(integers).max() == 63  # two products with 8 bits fit into 16
        found = session.run(["y"], {"x": given})[0]
        return float(((found - wanted).std(axis=1) / wanted.std(axis=1)).max())

    assert worst(strength=0.5) < 0.04  # of the spread; 0.02 is the rounding to 7 bits
    if wide == out:
        assert worst(strength=0.5) < worst(strength=0.0) / 1.5


def test_a_reader_without_4_bit_weights_is_not_smoothed(
    student: Trained, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(student.folder, tmp_path, "int8")
    with pytest.raises(SystemExit):
        smoothing.main(["--reader", str(tmp_path), "--data", str(data), "--out", str(tmp_path / "out")])
    assert "export it with int4" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_window_is_a_piece_of_its_context_with_the_answer_at_its_place(data: Path) -> None:
    training = load_training(data)
    drawn = Windows(Reader(), seed=0).examples(training, FEW)
    contexts = {row.context for row in training.answerable} | {gold.context for gold in training.unanswerable}
    answers = {row.text: row.answer for row in training.answerable}
    assert drawn
    assert all(any(example.passage in context for context in contexts) for example in drawn)
    for example in drawn:
        if example.answer:
            assert example.passage[slice(*example.answer)] == answers[example.question]
        elif example.question in answers:
            assert answers[example.question].lower() not in example.passage.lower()
    asked = {example.question for example in drawn}
    assert {gold.text for gold in training.unanswerable} <= asked


def test_hard_passages_are_the_groups_own_without_the_answer(base: Callable[[str], Path], data: Path) -> None:
    asked = questions(data)
    found = hard_passages(asked, base("bert"), CPU)
    for row, hard in zip(asked, found, strict=True):
        group = {other.context for other in asked if other.group == row.group}
        assert set(hard) <= group - {row.context}
        assert not any(row.answer.lower() in text.lower() for text in hard)
        assert bool(hard) == (len(group) > 1)
    others = ["Lund, Ada, sailed.", "ADA LUND sailed.", "Per Holm sailed."]
    rows = [asking("Who sailed?", "Ada Lund sailed.", "Ada Lund"), *(asking("?", text, text) for text in others)]
    assert sorted(hard_passages(rows, base("bert"), CPU)[0]) == ["Lund, Ada, sailed.", "Per Holm sailed."]


def test_variants_do_not_hold_the_answer(base: Callable[[str], Path], data: Path) -> None:
    asked = questions(data)
    for row, hard in zip(asked, hard_passages(asked, base("bert"), CPU), strict=True):
        drawn = Examples(TrainingData([row], []), [hard], ALWAYS, seed=0)
        for example in (example for number in range(30) for example in drawn.epoch(number)):
            if example.answer:
                assert example.passage[slice(*example.answer)] == row.answer
            elif example.passage == row.context:
                assert example.question != row.text
            else:
                assert example.question == row.text
                assert row.answer.lower() not in example.passage.lower()


def test_a_passage_loses_just_the_sentences_of_its_answer() -> None:
    text = "Ada built it. Per burned it. Ada wept."
    assert without_answer(asking("Who burned it?", text, "Per")) == "Ada built it. Ada wept."
    assert without_answer(asking("Who wept?", text, "Ada")) is None, "another sentence has it"
    assert without_answer(asking("Who came?", "Nobody came.", "Nobody")) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("When did Ada Lund go north?", {"When did Per Holm go north?", "When did Ada Lund go south?"}),
        ("What sank in 1931?", {"What sank in 1954?"}),
        ("What sank in 77?", {f"What sank in {77 + step}?" for step in (-7, -3, 2, 5, 11)}),
        ("Why?", {None}),
    ],
)
def test_a_swap_is_a_stranger_of_the_same_kind_or_an_opposite(text: str, expected: set[str | None]) -> None:
    row = asking(text, "In 1931 Ada Lund sank it. In 1954 Nora Pike raised it.", "Nora Pike")
    rng = random.Random(0)
    assert {swapped(row, ["Per Holm", "Nora Pike", "Old Nora Pike", "Ada Lund"], rng) for _ in range(200)} == expected


def test_names_are_not_the_first_words_of_sentences() -> None:
    assert names("The ferry left Oslo. Captain Ada Lund saw the Bay of Fundy.") == ["Oslo", "Ada Lund", "Bay of Fundy"]


def asking(text: str, context: str, answer: str, group: str = "g") -> Question:
    start = context.index(answer)
    return Question(text, context, start, start + len(answer), group, "T")


@pytest.mark.parametrize("before", [0, 50, 2_000, 20_000])
@pytest.mark.parametrize("after", [0, 50, 20_000])
@pytest.mark.parametrize("answer", ["x", "the answer", "a very long answer, " * 100 + "really"])
def test_a_window_keeps_the_answer_at_its_offsets(before: int, after: int, answer: str) -> None:
    context = ("word " * before)[:before] + answer + (" word" * after)[:after]
    row = Question("Which?", context, before, before + len(answer), "g", "T")
    starts = set()
    for seed in range(20):
        window = windowed(row, random.Random(seed))
        assert window.answer == answer
        assert window.context in context
        assert len(window.context) < max(1_600, 1_400 + len(answer)) + 10
        starts.add(window.start)
    assert len(starts) > 1 or before < 200 or len(answer) > 1_000


def test_the_same_seed_draws_the_same_examples_and_every_epoch_others(data: Path) -> None:
    training = load_training(data)
    hard = [["Nothing here."]] * len(training.answerable)

    def drawn(seed: int, epoch: int) -> list[Example]:
        return Examples(training, hard, Shares(), seed).epoch(epoch)

    assert drawn(0, 1) == drawn(0, 1)
    assert drawn(0, 1) != drawn(1, 1)
    assert set(drawn(0, 1)) != set(drawn(0, 2))
    theirs = {(gold.text, gold.context, None) for gold in training.unanswerable}
    assert len(theirs) == 2
    assert theirs <= set(drawn(0, 1))


def test_batches_have_every_row_once_and_rows_of_about_one_length(base: Callable[[str], Path], data: Path) -> None:
    tokenizer = ReaderModel(base("mpnet")).tokenizer
    asked = [Example(row.text, row.context, (row.start, row.end)) for row in questions(data)]
    rows = tokenised(asked, tokenizer, 384)
    made = list(batches(rows, 4, tokenizer.pad_token_id, random.Random(0)))
    found = [
        (ids[mask == 1].tolist(), int(first), int(last))
        for batch in made
        for ids, mask, first, last in zip(batch.ids, batch.mask, batch.first, batch.last, strict=True)
    ]
    assert sorted(found) == sorted((row.ids, row.first, row.last) for row in rows)
    assert all((batch.ids[batch.mask == 0] == tokenizer.pad_token_id).all() for batch in made)
    spans = sorted((int(batch.mask.sum(1).min()), int(batch.mask.sum(1).max())) for batch in made)
    assert all(longest <= shortest for (_, longest), (shortest, _) in pairwise(spans))


def test_an_answer_that_is_cut_away_is_not_taught(base: Callable[[str], Path]) -> None:
    tokenizer = ReaderModel(base("bert")).tokenizer
    example = Example("Who?", "the ferry " * 40 + "Ada Lund sailed", (400, 408))
    (row,) = tokenised([example], tokenizer, 384)
    assert tokenizer.decode(row.ids[row.first : row.last + 1]) == "ada lund"
    assert tokenised([example], tokenizer, 60) == []
    assert tokenised([example], tokenizer, row.last + 1) == [], "half an answer"
    (null,) = tokenised([example._replace(answer=None)], tokenizer, 60)
    assert (null.first, null.last, len(null.ids)) == (0, 0, 60)


def broken(name: str, change: Callable[[Any], object]) -> dict[str, Any]:
    files = json.loads(json.dumps(FILES))
    change(files[name])
    return {**files}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("train.json.gz", lambda file: file.pop("contexts"), r"is not \{\"contexts\""),
        ("train.json.gz", lambda file: file["rows"][3].pop("s"), "row 3: s missing"),
        ("train.json.gz", lambda file: file["rows"][3].update(c=99), "row 3: there is no context 99"),
        ("train.json.gz", lambda file: file["rows"][3].update(e=9999), "row 3: the answer of .* is not within"),
        ("train.json.gz", lambda file: file["rows"][3].update(s=5, e=5), "row 3: the answer of .* is not within"),
        ("train.json.gz", lambda file: file["rows"][3].update(q=" "), "row 3: a question is empty"),
        ("train.json.gz", lambda file: file["rows"].append(None), "row 16: "),
        ("squad2_train.json.gz", lambda file: file[0].pop("title"), "after 0 questions, not SQuAD 2.0.*'title'"),
        ("squad2_train.json.gz", lambda file: file[0]["paragraphs"][0].update(context="Lost."), "not in its paragraph"),
        ("squad2_test.json.gz", lambda file: file[0]["paragraphs"][0]["qas"].__delitem__(slice(2)), "with and without"),
    ],
)
def test_malformed_data_is_refused(name: str, change: Callable[[Any], object], message: str, tmp_path: Path) -> None:
    written(broken(name, change), tmp_path)
    with pytest.raises(DataError, match=message):
        load_training(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", *(gzip.compress(one, mtime=0) for one in (b"{", b"\xff")), gzip.compress(b"[]")[:9]],
    ids=range(5),
)
def test_a_file_that_is_not_compressed_json_is_refused(content: bytes, tmp_path: Path) -> None:
    written(FILES, tmp_path)
    (tmp_path / "train.json.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"train\.json\.gz"):
        load_training(tmp_path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("train.json.gz", lambda file: file["rows"][0].update(t="salt road")),
        ("squad2_train.json.gz", lambda file: file[0].update(title="Salt Road")),
        (
            "squad2_train.json.gz",
            lambda file: file.append(FILES["squad2_test.json.gz"][0] | {"title": "T"}),
        ),
    ],
)
def test_what_is_held_out_is_never_trained_on(name: str, change: Callable[[Any], object], tmp_path: Path) -> None:
    written(broken(name, change), tmp_path)
    with pytest.raises(DataError, match=r"squad2_test\.json\.gz is never trained on"):
        load_training(tmp_path)


def test_the_command_trains_and_says_what_is_wrong(
    base: Callable[[str], Path], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--base", str(base("bert")), "--out", str(tmp_path / "out"), "--epochs", "1", "--lr", "1e-3"]
    main([*given, "--data", str(data), "--max-tokens", "128"])
    assert "epoch 1 of 1" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "result.json").read_text())["recipe"]["max_tokens"] == 128
    with pytest.raises(SystemExit, match="1"):
        main([*given, "--data", str(tmp_path)])
    assert "train.json.gz is missing" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"lr": 0.0}, {"alpha": 1.5}, {"temperature": 0.0}])
def test_a_recipe_refuses_what_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(TrainingError, match="must be above 0"):
        Recipe(**wrong)


def test_the_shared_data_loads() -> None:
    folder = needs_shared("training/train.json.gz").parent
    training = load_training(folder)
    assert (len(training.answerable), len(training.unanswerable)) == (42_787 + 3_019, 3_288)
    assert len(load_held_out(folder)) == 2_842
