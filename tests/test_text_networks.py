"""Text models: words, vocabularies, Kim's network, and their files."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from copycost import Images
from copycost._types import FloatArray
from copycost.errors import InvalidInput
from copycost.inputs import Texts
from copycost.networks import (
    TextClassifier,
    Vectors,
    load_classifier,
    load_vectors,
    new_classifier,
    save_classifier,
)
from copycost.networks._vocabulary import Vocabulary, tokens
from copycost.oracle import Answers
from copycost.substitutes import Labelled, Schedule, fit

FILMS = Texts(["a fine film", "A dull film, isn't it?", "", "it's", "fine " * 30, "an unusual word: zyzzyva"])


def _vectors(words: str = "fine film dull it n't ,", dimensions: int = 7) -> Vectors:
    rng = np.random.default_rng(9)
    names = tuple(words.split())
    return Vectors(names, rng.normal(size=(len(names), dimensions)).astype(np.float32))


def _new(text: str = "kim filters=6", vectors: Vectors | None = None, seed: int = 0) -> TextClassifier:
    classifier = new_classifier(text, FILMS, 3, rng=np.random.default_rng(seed), vectors=vectors)
    assert isinstance(classifier, TextClassifier)
    return classifier


def _table(classifier: TextClassifier) -> torch.Tensor:
    return classifier.network.get_parameter("embedding.weight").detach()


def _train(classifier: TextClassifier, steps: int = 20) -> None:
    labels = np.arange(len(FILMS)) % 3
    schedule = Schedule.parse(f"steps:{steps} batch=4 weight_decay=0.01 learning_rate=0.01")
    fit(classifier, Labelled(FILMS, Answers(labels)), schedule=schedule, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \n\t\u2003", []),
        ("A fine, FINE film.", ["a", "fine", ",", "fine", "film", "."]),
        ("doesn't won't CAN'T", ["does", "n't", "wo", "n't", "ca", "n't"]),
        (
            "it's they're we'll I'd I'm you've",
            ["it", "'s", "they", "'re", "we", "'ll", "i", "'d", "i", "'m", "you", "'ve"],
        ),
        ("rock'n'roll o'clock", ["rock", "'", "n", "'", "roll", "o", "'", "clock"]),
        ("n't 's 'tis", ["n't", "'s", "'", "tis"]),
        ("well-made -- $3.50!?", ["well", "-", "made", "-", "-", "$", "3", ".", "50", "!", "?"]),
        ("Ünïcode ÉTÉ 東京", ["ünïcode", "été", "東京"]),
    ],
)
def test_texts_fall_into_words_and_signs_in_lower_case(text: str, words: list[str]) -> None:
    assert tokens(text, 99) == words
    assert tokens(text, 2) == words[:2]


def test_a_vocabulary_is_ordered_by_frequency_then_alphabet_and_capped() -> None:
    corpus = Texts(["c b a", "b c", "d c"])
    assert Vocabulary.of(corpus, most=9, length=9).words == ("c", "b", "a", "d")
    assert Vocabulary.of(corpus, most=2, length=9).words == ("c", "b")
    assert Vocabulary.of(corpus, most=9, length=1).words == ("b", "c", "d")
    assert Vocabulary.of(corpus, most=3, length=9, vectors={"d", "a", "x"}).words == ("a", "d", "c")
    assert Vocabulary.of(Texts([]), most=9, length=9).words == ()


def test_texts_become_rows_of_word_numbers_padded_behind_and_cut_at_the_length() -> None:
    vocabulary = Vocabulary(("film", "fine"), length=6)
    rows = vocabulary.encode(Texts(["a fine film", "", "fine " * 9]))
    assert rows.dtype == np.int32
    np.testing.assert_array_equal(rows, [[1, 3, 2, 0, 0, 0], [0] * 6, [3] * 6])
    assert vocabulary.encode(Texts([])).shape == (0, 5)
    assert vocabulary.encode(Texts(["fine"])).shape == (1, 5)


def test_a_batch_leaves_out_the_columns_that_only_pad_but_never_fewer_than_five_remain() -> None:
    classifier = _new()
    rows = classifier.encode(FILMS)
    assert rows.shape == (6, 30)
    assert classifier.tensor(rows).dtype == torch.int64
    assert [classifier.tensor(rows[part]).shape for part in ([0], [1], [2], [4], [])] == [
        (1, 5),
        (1, 8),
        (1, 5),
        (1, 30),
        (0, 5),
    ]


def _logits_by_hand(classifier: TextClassifier, text: str) -> FloatArray:
    state = {name: value.double().numpy() for name, value in classifier.network.state_dict().items()}
    numbers = [dict(zip(classifier.vocabulary.words, range(2, 99), strict=False)).get(w, 1) for w in tokens(text, 200)]
    largest = []
    for layer, width in enumerate((3, 4, 5)):
        filled = numbers + [0] * (width - len(numbers))
        windows = [state["embedding.weight"][filled[at : at + width]].ravel() for at in range(len(filled) - width + 1)]
        values = np.array(windows) @ state[f"filters.{layer}.weight"].T + state[f"filters.{layer}.bias"]
        largest.append(np.maximum(values.max(axis=0), 0))
    logits: FloatArray = state["output.weight"] @ np.concatenate(largest) + state["output.bias"]
    return logits


@pytest.mark.parametrize("vectors", [None, _vectors()])
def test_kims_network_computes_what_a_loop_over_windows_does(vectors: Vectors | None) -> None:
    classifier = _new(vectors=vectors)
    _train(classifier)
    by_hand = np.array([_logits_by_hand(classifier, text) for text in FILMS.texts])
    with torch.no_grad():
        logits = classifier(classifier.tensor(classifier.encode(FILMS))).numpy()
    np.testing.assert_allclose(logits, by_hand, rtol=1e-4, atol=1e-5)


def test_a_texts_answer_does_not_depend_on_the_texts_beside_it() -> None:
    classifier = _new()
    _train(classifier)
    alone = np.concatenate([classifier.probabilities(FILMS.take([row])) for row in range(len(FILMS))])
    np.testing.assert_allclose(classifier.probabilities(FILMS), alone, atol=1e-6)
    assert classifier.probabilities(FILMS.take([])).shape == (0, 3)
    assert classifier.labels(FILMS).tolist() == alone.argmax(axis=1).tolist()


def test_kims_network_has_a_hundred_filters_of_each_width_and_one_layer_behind() -> None:
    classifier = new_classifier("kim", FILMS, 4, rng=np.random.default_rng(0))
    shapes = [tuple(weight.shape) for name, weight in classifier.network.named_parameters() if "weight" in name]
    words = len(_new().vocabulary.words)
    assert shapes == [(words + 2, 50), (100, 150), (100, 200), (100, 250), (4, 300)]
    assert [layer.p for layer in classifier.network.modules() if isinstance(layer, nn.Dropout)] == [0.1]


def test_parameters_reach_the_vocabulary_and_the_network() -> None:
    classifier = _new("kim filters=3 dropout=0.5 words=4 length=5")
    assert classifier.vocabulary == Vocabulary(("fine", "a", "film", "'s"), 5)
    assert classifier.encode(FILMS).shape == (6, 5)
    assert classifier.network.get_parameter("output.weight").shape == (3, 9)
    assert [layer.p for layer in classifier.network.modules() if isinstance(layer, nn.Dropout)] == [0.5]


def test_words_with_vectors_come_first_and_start_from_them() -> None:
    vectors = _vectors()
    classifier = _new(vectors=vectors)
    words, table = classifier.vocabulary.words, _table(classifier).numpy()
    assert set(words[:6]) == set(vectors.words)
    assert words[:3] == ("fine", "film", "it")
    for row, word in enumerate(words[:6], 2):
        np.testing.assert_array_equal(table[row], vectors.array[vectors.rows[word]])
    rest = table[[1, *range(8, len(table))]]
    assert (rest != 0).all()
    assert np.abs(rest).max() <= np.sqrt(3) * vectors.array.std() * 1.0001
    assert not table[0].any()


def test_given_vectors_are_frozen_unless_tuned_and_random_ones_are_trained() -> None:
    moved = {}
    for name, text, vectors in (
        ("frozen", "kim filters=6", _vectors()),
        ("tuned", "kim filters=6 tuned=yes", _vectors()),
        ("random", "kim filters=6", None),
    ):
        classifier = _new(text, vectors)
        before = copy.deepcopy(_table(classifier))
        _train(classifier)
        moved[name] = (_table(classifier) != before).any(dim=1)
        assert not _table(classifier)[0].any(), "the padding's vector stays zero"
    assert not moved["frozen"].any()
    assert moved["tuned"][2:].all()
    assert moved["random"][2:].all()


def test_vectors_that_know_no_word_of_the_corpus_give_random_ones_of_their_size() -> None:
    classifier = _new(vectors=_vectors("other words"))
    assert _table(classifier).shape[1] == 7
    assert 0.2 < float(_table(classifier).abs().max()) <= 0.25


def test_initial_weights_of_a_text_model_come_from_the_generator_alone() -> None:
    torch.rand(2)
    one, two, three = (_new(seed=seed).probabilities(FILMS) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != three).any()


def test_a_corpus_without_words_gives_a_model_that_knows_none() -> None:
    for corpus in (Texts([]), Texts(["", " "])):
        classifier = new_classifier("kim filters=2", corpus, 2, rng=np.random.default_rng(0))
        rows = classifier.probabilities(Texts(["", "x", "y z"]))
        np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-6)


def test_word_vectors_for_images_are_refused() -> None:
    images = Images(np.zeros((1, 28, 28), np.uint8))
    with pytest.raises(InvalidInput, match="word vectors were given for lenet5"):
        new_classifier("lenet5", images, 2, rng=np.random.default_rng(0), vectors=_vectors())


@pytest.mark.parametrize("vectors", [None, _vectors()])
def test_a_text_model_comes_back_from_its_one_file_to_the_bit(tmp_path: Path, vectors: Vectors | None) -> None:
    classifier = _new("kim filters=6 length=12", vectors)
    _train(classifier)
    save_classifier(classifier, tmp_path / "model.safetensors")
    loaded = load_classifier(tmp_path / "model.safetensors", "kim filters=6", shape=None, classes=3)
    assert isinstance(loaded, TextClassifier)
    assert loaded.vocabulary == classifier.vocabulary
    assert not loaded.network.training
    np.testing.assert_array_equal(loaded.probabilities(FILMS), classifier.probabilities(FILMS))
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    _train(classifier)
    _train(loaded)
    np.testing.assert_array_equal(loaded.probabilities(FILMS), classifier.probabilities(FILMS))


def _head(words: object, length: object = 9, tuned: object = True) -> str:
    return json.dumps({"vocabulary": words, "length": length, "tuned": tuned})


@pytest.mark.parametrize(
    "head",
    [
        None,
        "",
        "[]",
        "3",
        "[" * 100_000,
        '{"length": 9, "tuned": true}',
        _head("abcdefghijkl"),
        _head(list("abc")),
        _head([*"abcdefghijk", 7]),
        _head([*"abcdefghijk", "a"]),
        _head(list("abcdefghijkl"), length=2),
        _head(list("abcdefghijkl"), length="9"),
        _head(list("abcdefghijkl"), length=True),
        _head(list("abcdefghijkl"), length=10**9),
        _head(list("abcdefghijkl"), tuned=1),
    ],
)
def test_a_missing_or_damaged_vocabulary_is_refused(tmp_path: Path, head: str | None) -> None:
    classifier = _new("kim filters=6 words=12")
    assert len(classifier.vocabulary.words) == 12
    save_classifier(classifier, tmp_path / "model.safetensors")
    state = load_file(tmp_path / "model.safetensors")
    save_file(state, tmp_path / "good.safetensors", {"copycost": _head(list("abcdefghijkl"))})
    load_classifier(tmp_path / "good.safetensors", "kim filters=6", shape=None, classes=3)
    save_file(state, tmp_path / "bad.safetensors", None if head is None else {"copycost": head})
    with pytest.raises(InvalidInput, match="vocabulary is missing or damaged"):
        load_classifier(tmp_path / "bad.safetensors", "kim filters=6", shape=None, classes=3)


def test_files_that_do_not_fit_the_text_model_are_refused(tmp_path: Path) -> None:
    path, rng = tmp_path / "model.safetensors", np.random.default_rng(0)
    save_classifier(_new("kim filters=6"), path)
    for text, classes in (("kim", 3), ("kim filters=6", 2)):
        with pytest.raises(InvalidInput, match="do not fit"):
            load_classifier(path, text, shape=None, classes=classes)
    with pytest.raises(InvalidInput, match="takes texts"):
        load_classifier(path, "kim filters=6", shape=(28, 28, 1), classes=3)
    with pytest.raises(InvalidInput, match="takes images"):
        load_classifier(path, "lenet5", shape=None, classes=3)
    with pytest.raises(InvalidInput, match="do not fit"):
        load_classifier(path, "lenet5", shape=(28, 28, 1), classes=3)
    with pytest.raises(InvalidInput, match="given for texts"):
        load_classifier(path, "kim filters=6", shape=None, classes=3, mean=(0.5,))
    images = Images(np.zeros((1, 28, 28), np.uint8))
    save_classifier(new_classifier("lenet5", images, 3, rng=rng), tmp_path / "image.safetensors")
    with pytest.raises(InvalidInput, match="vocabulary is missing"):
        load_classifier(tmp_path / "image.safetensors", "kim", shape=None, classes=3)


def test_a_padding_that_is_not_zero_a_pickle_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    classifier = _new("kim filters=6")
    save_classifier(classifier, tmp_path / "model.safetensors")
    torch.save(classifier.network.state_dict(), tmp_path / "pickle.safetensors")
    with pytest.raises(InvalidInput, match="can carry code"):
        load_classifier(tmp_path / "pickle.safetensors", "kim filters=6", shape=None, classes=3)
    with pytest.raises(InvalidInput, match="there is no file"):
        load_classifier(tmp_path / "none.safetensors", "kim filters=6", shape=None, classes=3)
    with torch.no_grad():
        classifier.network.get_parameter("embedding.weight")[0, 0] = 1
    save_classifier(classifier, tmp_path / "padding.safetensors")
    with pytest.raises(InvalidInput, match="padding is not zero"):
        load_classifier(tmp_path / "padding.safetensors", "kim filters=6", shape=None, classes=3)


@pytest.fixture(scope="module")
def films(shared_data: Path) -> tuple[Labelled, Labelled, Vectors]:
    folder = shared_data / "text"
    lines = [(folder / "mr" / f"rt-polarity.{kind}").read_text("latin-1").splitlines() for kind in ("neg", "pos")]
    order = np.random.default_rng(0).permutation(sum(map(len, lines)))
    both = Labelled(Texts(lines[0] + lines[1]), Answers(np.repeat([0, 1], list(map(len, lines)))))
    vectors = load_vectors(str(folder / "glove.6B.50d.top50k.f16.npz"))
    return both.take(order[:800]), both.take(order[800:2800]), vectors


@pytest.mark.parametrize("given", [True, False])
def test_kims_network_learns_the_polarity_of_film_reviews_from_800(
    films: tuple[Labelled, Labelled, Vectors], given: bool
) -> None:
    train, test, vectors = films
    rng = np.random.default_rng(0)
    classifier = new_classifier("kim", train.inputs, 2, rng=rng, vectors=vectors if given else None)
    fit(classifier, train, schedule=Schedule.parse("epochs:12 batch=50"), rng=rng)
    accuracy = float((classifier.labels(test.inputs) == test.answers.labels).mean())
    assert accuracy > 0.6 - 0.03 * (not given)  # chance is 0.5, give or take 0.011
    assert (classifier.labels(train.inputs) == train.answers.labels).mean() > 0.9


def test_the_published_vectors_put_like_words_together(films: tuple[Labelled, Labelled, Vectors]) -> None:
    _, _, vectors = films
    assert vectors.array.shape == (50_000, 50)
    assert vectors.words[:3] == ("the", ",", ".")
    good, bad, table = (vectors.array[vectors.rows[word]] for word in ("good", "better", "table"))
    assert good @ bad / np.linalg.norm(bad) > good @ table / np.linalg.norm(table)


def test_a_text_of_a_hundred_thousand_words_is_cut(films: tuple[Labelled, Labelled, Vectors]) -> None:
    train, _, vectors = films
    classifier = new_classifier("kim", train.inputs, 2, rng=np.random.default_rng(0), vectors=vectors)
    long, cut = Texts(["a fine film , " * 25_000]), Texts(["a fine film , " * 50])
    assert classifier.encode(long).shape == (1, 200)
    np.testing.assert_array_equal(classifier.probabilities(long), classifier.probabilities(cut))
