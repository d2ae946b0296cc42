/** Where a piece of a route stands in its text: offsets in UTF-16 units, the end exclusive. */
export type Span = { readonly start: number; readonly end: number };

/** One step into a body: the key of an object or the index of an array. */
export type Step = string | number;

export type UnaryOperator = 'NOT' | '-';

export type OrderOperator = '<' | '<=' | '>' | '>=';

export type BinaryOperator =
  | '??'
  | 'OR'
  | 'AND'
  | '='
  | '!='
  | OrderOperator
  | '+'
  | '-'
  | '||'
  | '*'
  | '/'
  | '%';

export type Literal = Span & {
  readonly kind: 'literal';
  readonly value: number | string | boolean | null | undefined;
};

/** An application property. */
export type Property = Span & { readonly kind: 'property'; readonly name: string };

/** A system property, its name without the `$`. */
export type SystemProperty = Span & { readonly kind: 'system'; readonly name: string };

export type BodyPath = Span & { readonly kind: 'body'; readonly path: readonly Step[] };

/** `$x` in the azure dialect: the application property of that name, `$` included, hides what else it may mean. */
export type Shadowed = Span & {
  readonly kind: 'shadowed';
  readonly name: string;
  readonly hidden: SystemProperty | BodyPath;
};

/** `twin_change_includes(properties.reported.x)`: whether a twin change names this path. */
export type TwinChange = Span & { readonly kind: 'twin'; readonly path: readonly Step[] };

export type Unary = Span & {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: Expression;
};

export type Binary = Span & {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
};

/** A function call, its name in lower case. */
export type Call = Span & {
  readonly kind: 'call';
  readonly name: string;
  readonly operands: readonly Expression[];
};

/** A condition or a part of one. Brackets are not kept: the shape of the tree says what they said. */
export type Expression =
  | Literal
  | Property
  | SystemProperty
  | BodyPath
  | Shadowed
  | TwinChange
  | Unary
  | Binary
  | Call;

/** Upstream in a route: `$upstream/<name>`; the name is undefined in `$upstream`. */
export type UpstreamRef = { readonly kind: 'upstream'; readonly name: string | undefined };

/**
 * What a route listens to: sources that begin with these segments, topics that pass an MQTT filter, or what comes from
 * an upstream, of all its topics or of those that pass a filter.
 */
export type Source =
  | { readonly kind: 'path'; readonly segments: readonly string[] }
  | { readonly kind: 'topic'; readonly filter: string }
  | (UpstreamRef & { readonly filter: string | undefined });

/** Where a route delivers. */
export type Sink =
  | UpstreamRef
  | { readonly kind: 'input'; readonly module: string; readonly input: string }
  | { readonly kind: 'topic'; readonly topic: string };

/** A whole route as it was written. Without a condition it takes everything from its source. */
export type RouteTree = {
  readonly source: Source;
  readonly condition: Expression | undefined;
  readonly sink: Sink;
};
