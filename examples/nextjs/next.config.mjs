export default {
  // .next/standalone: a server.js and what it needs of node_modules.
  output: "standalone",
};
