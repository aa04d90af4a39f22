/** Style sheets: imported for what they do, so they have no exports. */
declare module "*.css";
