"""What a model's file may hold without a person's word for it: classes of Keras that run no code of the file."""

# Built-in layers, and the models that hold them. Left out: Lambda, what takes functions, and what makes much of little.
LAYERS = frozenset(
    (
        "Functional", "Sequential", "InputLayer", "Embedding", "Masking", "Identity",
        "LSTM", "GRU", "SimpleRNN", "RNN", "LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells", "Bidirectional",
        "Dense", "Activation", "LeakyReLU", "ReLU", "ELU", "PReLU", "Softmax",
        "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization",
        "BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization",
        "Rescaling", "Normalization", "SpectralNormalization",
        "GlobalAveragePooling1D", "GlobalMaxPooling1D", "AveragePooling1D", "MaxPooling1D",
        "Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention",
        "Concatenate", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Dot",
        "Flatten", "Reshape", "Permute", "RepeatVector", "Cropping1D", "EinsumDense", "TimeDistributed",
        "Conv1D", "SeparableConv1D", "DepthwiseConv1D",
        "Conv1DTranspose",
    )
)  # fmt: skip

# Layers of Keras that run code which the file holds or names.
RUNNING_CODE = frozenset(("Lambda", "TFSMLayer", "TorchModuleWrapper", "FlaxLayer", "JaxLayer", "Layer", "Wrapper"))

# Layers of Keras for pictures, sounds and tables, and those that make much of little: no model of texts needs them.
OTHER_LAYERS = frozenset(
    (
        "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D",
        "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D", "AugMix", "AutoContrast",
        "AveragePooling2D", "AveragePooling3D", "CategoryEncoding", "CenterCrop",
        "ContrastLimitedAdaptiveHistogramEqualization", "Conv2D", "Conv2DTranspose", "Conv3D",
        "Conv3DTranspose", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Cropping2D", "Cropping3D", "CutMix",
        "DepthwiseConv2D", "Discretization", "Equalization", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
        "GlobalMaxPooling2D", "GlobalMaxPooling3D", "HashedCrossing", "Hashing", "IntegerLookup",
        "MaxNumBoundingBoxes", "MaxPooling2D", "MaxPooling3D", "MelSpectrogram", "MixUp", "Pipeline",
        "RandAugment", "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast",
        "RandomCrop", "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur",
        "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization",
        "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation",
        "RandomZoom", "Resizing", "ReversibleEmbedding", "STFTSpectrogram", "SeparableConv2D",
        "Solarization", "SpatialDropout2D", "SpatialDropout3D", "StringLookup", "TextVectorization",
        "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
    )
)  # fmt: skip

# Functions of keras.ops that a saved graph may hold: arithmetic on tensors. None calls a function or makes a tensor of
# a size that the file alone says.
OPERATIONS = frozenset(
    (
        "Abs", "Absolute", "Add", "All", "Amax", "Amin", "Angle", "Any", "Append", "Arccos", "Arccosh", "Arcsin",
        "Arcsinh", "Arctan", "Arctan2", "Arctanh", "Argmax", "Argmin", "Argpartition", "Argsort", "ArraySplit",
        "Average", "BitwiseAnd", "BitwiseInvert", "BitwiseLeftShift", "BitwiseNot", "BitwiseOr", "BitwiseRightShift",
        "BitwiseXor", "Cast", "Cbrt", "Ceil", "Celu", "Clip", "Concatenate", "Conj", "Conjugate", "ConvertToTensor",
        "Copy", "Cos", "Cosh", "CountNonzero", "Cross", "Cumprod", "Cumsum", "Deg2rad", "Diagonal", "Diff", "Digitize",
        "Divide", "DivideNoNan", "Dot", "DotProductAttention", "Dstack", "Einsum", "Elu", "Equal", "Erf", "Erfc",
        "Erfinv", "Exp", "Exp2", "ExpandDims", "Expm1", "Fabs", "Flip", "Fliplr", "Flipud", "Floor", "FloorDivide",
        "Fmax", "Fmin", "Fmod", "FullLike", "Gcd", "Gelu", "GetItem", "Glu", "Greater", "GreaterEqual", "HardShrink",
        "HardSigmoid", "HardSilu", "HardTanh", "Heaviside", "Hsplit", "Hstack", "Hypot", "Imag", "Inner", "IsIn",
        "Isclose", "Isfinite", "Isinf", "Isnan", "Isneginf", "Isposinf", "Isreal", "LayerNorm", "Lcm", "Ldexp",
        "LeakyRelu", "LeftShift", "Less", "LessEqual", "Log", "Log10", "Log1p", "Log2", "LogSigmoid", "LogSoftmax",
        "Logaddexp", "Logaddexp2", "LogicalAnd", "LogicalNot", "LogicalOr", "LogicalXor", "Logsumexp", "Matmul", "Max",
        "Maximum", "Mean", "Median", "Min", "Minimum", "Mod", "Moments", "Moveaxis", "Multiply", "NanToNum",
        "Nanargmax", "Nanargmin", "Nancumprod", "Nancumsum", "Nanmax", "Nanmean", "Nanmedian", "Nanmin",
        "Nanpercentile", "Nanprod", "Nanquantile", "Nanstd", "Nansum", "Nanvar", "Negative", "Nextafter", "Norm",
        "Normalize", "NotEqual", "OnesLike", "Percentile", "Power", "Prod", "Ptp", "Quantile", "RMSNorm", "Rad2deg",
        "Ravel", "Real", "Rearrange", "Reciprocal", "Relu", "Relu6", "Reshape", "RightShift", "Roll", "Round", "Rsqrt",
        "SearchSorted", "Select", "Selu", "Sigmoid", "Sign", "Signbit", "Silu", "Sin", "Sinc", "Sinh", "Slice",
        "SoftShrink", "Softmax", "Softplus", "Softsign", "Sort", "SparsePlus", "SparseSigmoid", "Sparsemax", "Split",
        "Sqrt", "Square", "Squareplus", "Squeeze", "Stack", "Std", "StopGradient", "Subtract", "Sum", "Swapaxes",
        "Take", "TakeAlongAxis", "Tan", "Tanh", "TanhShrink", "Tensordot", "Threshold", "TopK", "Trace", "Transpose",
        "Trapezoid", "Tril", "Triu", "TrueDivide", "Trunc", "Unstack", "Var", "Vdot", "Vsplit", "Vstack", "Where",
        "ZerosLike",
    )
)  # fmt: skip
OPERATION_MODULES = tuple(f"keras.src.ops.{name}" for name in ("core", "math", "nn", "numpy", "linalg", "einops"))

# What a layer's config may hold beside layers: none of these runs code of the file.
_SETTINGS = frozenset(("keras.initializers", "keras.regularizers", "keras.constraints"))
_VALUES = frozenset(("__keras_tensor__", "__tensor__", "__numpy__", "__slice__", "__ellipsis__"))
_OTHERS = frozenset((("keras", "DTypePolicy"), ("keras.src.models.functional", "Functional")))


def is_allowed(module: object, name: object) -> bool:
    """Tells whether Keras may build a class of this module and name from a stranger's file."""
    if module in ("keras", "keras.layers"):
        return name in LAYERS or (module, name) in _OTHERS
    if module in OPERATION_MODULES:
        return name in OPERATIONS
    if module is None:
        return name in _VALUES
    # A function, even one of these modules, is called with what the file says.
    return (module in _SETTINGS and name != "function") or (module, name) in _OTHERS
