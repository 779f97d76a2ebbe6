// The M-step of the anchored label model, whatever the rows came from.
#pragma once

#include <span>

#include "coverset/label_model.hpp"

namespace coverset {

/// Class balance from the expected rows of each class, unless it is given; from it and the state's
/// expected votes log_prior and the weights of columns.
void maximize(const Cpu& device, const VoteColumns& columns, const FitOptions& options,
              std::span<const double> rows, std::span<double> log_prior, LabelModelState& state);

}  // namespace coverset
