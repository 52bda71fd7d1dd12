"""The named systems: parameter counts, hand-computed values, and whether they learn their task."""

import numpy as np
import pytest

from ketkar.datasets import digits, inference_example, roads, synthetic_faces
from ketkar.network import check_layer, count_parameters
from ketkar.systems import (
    alvinn_network,
    block_mean,
    centred,
    digit_network,
    encode_targets,
    face_network,
    inference_network,
    inference_params,
    steering_direction,
    steering_targets,
    train_alvinn,
    train_digits,
    train_faces,
)
from ketkar.training import accuracy


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        (face_network(), 961 * 3 + 4 * 4),
        (face_network(hidden=30), 28954),
        (alvinn_network(), 961 * 4 + 5 * 30),
        (digit_network(), 65 * 32 + 33 * 10),
        (inference_network(), 4 * 3 + 4 * 2),
    ],
)
def test_parameter_counts(network, parameters):
    assert count_parameters(network.init(rng=0)) == parameters


def test_inference_network_gives_the_worked_numbers():
    net, params, example = inference_network(), inference_params(), inference_example()
    output, trace = net.forward(params, example.x[None])
    np.testing.assert_allclose(trace[1].x[0], example.hidden, atol=1e-11)
    np.testing.assert_allclose(output[0], example.output, atol=1e-11)


def test_inference_network_has_right_gradients():
    assert check_layer(inference_network(), inference_params(), inference_example().x[None]).ok


def test_digits_reach_the_accuracy_that_the_book_promises():
    train, test = digits(rng=1)
    net = digit_network()
    run = train_digits(net, *train, rng=1)
    assert accuracy(net, run.params, *test) >= 0.96


def test_settings_replace_the_defaults():
    train, _ = digits(rng=1)
    run = train_digits(digit_network(4), train.x[:10], train.y[:10], rng=0, epochs=3, batch_size=5)
    assert len(run.history.step_losses) == 6


class TestFaces:
    def test_block_mean_by_hand(self):
        image = np.arange(120 * 128.0).reshape(120, 128)
        small = block_mean(image, 4)
        assert small.shape == (30, 32)
        assert small[2, 5] == image[8:12, 20:24].mean()

    def test_block_mean_takes_a_stack(self):
        stack = np.random.default_rng(0).random((3, 4, 6))
        np.testing.assert_allclose(block_mean(stack, 2)[1], block_mean(stack[1], 2))

    @pytest.mark.parametrize("shape", [(5, 4), (4, 5), (4,)])
    def test_block_mean_refuses_what_does_not_divide(self, shape):
        with pytest.raises(ValueError, match="multiples of 4"):
            block_mean(np.zeros(shape), 4)

    def test_targets(self):
        targets = encode_targets([3, 0], 4)
        np.testing.assert_array_equal(targets, [[0.1, 0.1, 0.1, 0.9], [0.9, 0.1, 0.1, 0.1]])

    def test_targets_refuse_a_class_that_is_not_there(self):
        with pytest.raises(ValueError, match=r"labels must lie in 0 \.\. 3"):
            encode_targets([4], 4)

    def test_hidden_weights_start_at_zero_and_output_weights_do_not(self):
        params = face_network().init(rng=0)
        assert not params.dense1.W.any()
        assert params.dense2.W.all()

    def test_learns_the_pose_of_drawn_faces(self):
        faces = synthetic_faces(rng=0)
        order = np.random.default_rng(0).permutation(624)
        train, test = faces.subset(order[:260]), faces.subset(order[416:])
        validation = faces.subset(order[260:416])
        net = face_network()
        run = train_faces(
            net, train.x, train.pose, rng=1, epochs=60, validation=(validation.x, validation.pose)
        )
        assert len(run.history.validation_loss) == 60
        assert accuracy(net, run.params, test.x, test.pose) >= 0.9

    def test_nothing_is_learned_where_all_weights_start_at_zero(self):
        faces = synthetic_faces(rng=0).subset(slice(None, None, 6))
        net = face_network()
        layers = [
            layer.__class__(layer.n_in, layer.n_out, "sigmoid", "zeros") for layer in net.layers
        ]
        run = train_faces(net.__class__(tuple(layers)), faces.x, faces.pose, rng=0, epochs=5)
        hidden = run.params.dense1.W
        np.testing.assert_array_equal(hidden, np.repeat(hidden[:, :1], 3, axis=1))


class TestAlvinn:
    def test_targets_are_a_hump_between_one_tenth_and_nine_tenths(self):
        targets = steering_targets([0, 14.5], width=2.0)
        assert targets.shape == (2, 30)
        assert targets[0, 0] == pytest.approx(0.9)
        assert targets[0, 29] == pytest.approx(0.1)
        assert targets[0, 2] == pytest.approx(0.1 + 0.8 * np.exp(-0.5))
        np.testing.assert_allclose(targets[1], targets[1, ::-1])

    def test_direction_undoes_targets(self):
        np.testing.assert_array_equal(
            steering_direction(steering_targets(np.arange(30))), np.arange(30)
        )

    def test_centred_refuses_another_size(self):
        with pytest.raises(ValueError, match=r"mean has \(3,\)"):
            centred(np.zeros((2, 4)), np.zeros(3))

    def test_steers_within_a_unit_when_the_pictures_are_centred(self):
        train, test = roads(2000, rng=1), roads(400, rng=2)
        mean = train.x.mean(axis=0)
        net = alvinn_network()
        run = train_alvinn(net, centred(train.x, mean), train.y, rng=0)
        found = steering_direction(net(run.params, centred(test.x, mean)))
        assert np.abs(found - test.y).mean() <= 1.0
